// Finding out how a csv file is made. Internal to this folder.
#pragma once

#include <vector>

#include "source/sample.h"

namespace grapnel::source {

/// Delimiter, quote, trailing delimiter; what the request states is taken. Every record in the
/// sample's first part must have the same number of fields, which goes to `*field_count` (the
/// trailing delimiter not counted). ErrorKind::data names the record that does not.
Result<Dialect> sniff_dialect(const TableRequest& request, const Source& source,
                              const Sample& sample, size_t* field_count);

/// Sets columns, header and data_begin of `source`, whose dialect is known.
Status sniff_columns(const TableRequest& request, const Sample& sample, size_t field_count,
                     Source& source);

}  // namespace grapnel::source
