// Files and sources for the tests of this folder.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "op/datum.h"
#include "source/source.h"

namespace grapnel::source {

/// A directory of its own, removed at the end.
class TestDirectory {
 public:
  TestDirectory() {
    const char* base = getenv("GRAPNEL_TEST_TMP");
    std::string name = std::string(base != nullptr ? base : "/tmp") + "/source-XXXXXX";
    path_ = mkdtemp(name.data());
  }
  TestDirectory(const TestDirectory&) = delete;
  TestDirectory& operator=(const TestDirectory&) = delete;
  ~TestDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string path(std::string_view name) const {
    return path_ + "/" + std::string(name);
  }
  std::string write(std::string_view name, std::string_view content) const {
    std::ofstream(path(name), std::ios::binary) << content;
    return path(name);
  }

 private:
  std::string path_;
};

inline TableRequest request_of(std::string path) {
  TableRequest request;
  request.path = std::move(path);
  return request;
}

inline op::Type type_of(op::TypeKind kind) { return op::Type::of(kind); }
inline const op::Type kVarchar = type_of(op::TypeKind::varchar);
inline const op::Type kBigint = type_of(op::TypeKind::bigint);

/// "a BIGINT, b VARCHAR"
inline std::string columns_text(const Layout& layout) {
  std::string text;
  for (const Column& column : layout.columns) {
    if (!text.empty()) text += ", ";
    text += column.name + " " + column.type.to_string();
  }
  return text;
}

/// All records of the data part, in one pass, blank ones left out: fields by '|', NULL as ~, an
/// error as its message.
inline std::vector<std::string> rows_of(const Source& source) {
  std::string data(source.data_end - source.data_begin, '\0');
  EXPECT_EQ(
      pread(source.file.get(), data.data(), data.size(), static_cast<off_t>(source.data_begin)),
      static_cast<ssize_t>(data.size()));
  std::vector<std::string> rows;
  RecordReader reader(source);
  for (size_t at = 0; at < data.size();) {
    const std::string_view rest = std::string_view(data).substr(at);
    const auto record = next_record(source.layout, rest, true);
    if (!record) break;
    reader.set_record(rest.substr(0, record->content_size), source.data_begin + at);
    at += record->consumed;
    if (reader.is_blank()) continue;
    std::string row;
    for (uint32_t i = 0; i < source.layout.columns.size(); ++i) {
      const auto value = reader.load(i);
      if (i > 0) row += "|";
      if (!value.ok()) {
        row += value.error().message;
      } else {
        row += value->is_null ? "~" : op::to_text(*value, source.layout.columns[i].type);
      }
    }
    rows.push_back(row);
  }
  return rows;
}

}  // namespace grapnel::source
