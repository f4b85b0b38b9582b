// What compiled code calls back for: the group table, exact DOUBLE sums, text states, LIKE, number
// spellings that it does not know. Internal to lower/native.
#pragma once

#include <string>

#include "lower/native/native_abi.h"
#include "program/program.h"

namespace grapnel::lower::native {

/// The `context` of the services; one per runner.
class ServiceContext {
 public:
  explicit ServiceContext(const program::Job& job) : job_(job) {}
  void attach(state::Partial& partial) { partial_ = &partial; }

  uint64_t* find_group(const gr_key_value* keys);
  void extreme_text(uint64_t* slots, std::string_view text, bool is_max);

 private:
  const program::Job& job_;
  state::Partial* partial_ = nullptr;
  std::string key_;
};

const gr_services& services();

}  // namespace grapnel::lower::native
