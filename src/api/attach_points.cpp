// `grapnel doctor --hooks`: what the kernel answers for every attach point that tools have used.
#include "grapnel/grapnel.h"
#include "hooks/probe/probe.h"

namespace grapnel::api {

std::vector<AttachPoint> probe_attach_points() {
  std::vector<AttachPoint> points;
  for (const auto& finding : hooks::probe::probe_known_points()) {
    const hooks::probe::KnownPoint& known = *finding.point;
    AttachPoint point{std::string(to_string(known.kind)),
                      std::string(known.name),
                      std::string(known.area),
                      std::string(known.since),
                      std::string(known.until),
                      std::string(known.changed),
                      finding.types,
                      finding.symbol,
                      {}};
    for (const auto& way : finding.ways)
      point.ways.push_back({way.name, way.answer.ok, way.answer.words});
    points.push_back(std::move(point));
  }
  return points;
}

}  // namespace grapnel::api
