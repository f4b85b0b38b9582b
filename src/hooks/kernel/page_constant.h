// Where the kernel maps the bytes of a page, relative to its struct page.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "lower/bpf/kernel_btf.h"

namespace grapnel::hooks::kernel {

/// address of a page's bytes = 64 * address of its struct page + result. Found by searching the
/// kernel's memory for pages of random bytes that this process owns, and verified on each of them.
/// Takes about a millisecond. It is secret (it gives the kernel's layout away): never print it.
///
/// Errors: permission (names the missing right), hook (the kernel or the machine is laid out in a
/// way that grapnel does not know).
Result<uint64_t> find_page_constant(const lower::bpf::KernelBtf& btf);

}  // namespace grapnel::hooks::kernel
