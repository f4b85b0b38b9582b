// `grapnel doctor --tax`: what hooks cost those who have nothing to do with them.
#include "hooks/tax/tax.h"

#include "api/error.h"
#include "grapnel/grapnel.h"

namespace grapnel::api {

Result<Taxes> measure_taxes() {
  const auto measured = hooks::tax::measure_taxes();
  if (!measured.ok()) return to_public(measured.error());
  Taxes taxes{measured->call_ns, measured->read_ns, {}};
  for (const hooks::tax::Tax& tax : measured->hooks)
    taxes.hooks.push_back(
        {tax.hook, tax.place, tax.reason, tax.call_ns, tax.read_ns, tax.request_ns});
  return taxes;
}

}  // namespace grapnel::api
