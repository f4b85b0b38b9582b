#include "hooks/kernel/attach_point.h"

#include <utility>

#include "base/pretend.h"

namespace grapnel::hooks::kernel {
namespace {

Error no_place(std::string why) { return Error{ErrorKind::hook, std::move(why), ""}; }

Status try_point(const AttachPoints& places, const AttachPoint& point,
                 const std::string& btf_path) {
  for (const std::string_view needed : {point.section, point.calls})
    if (std::string why = base::why_switched_off(needed); !why.empty())
      return no_place(std::move(why));
  if (point.quick_test != nullptr)
    if (Verdict verdict = point.quick_test(); !verdict.yes)
      return no_place(std::move(verdict.reason));
  GRAPNEL_TRY(const FirstLooks attached, FirstLooks::attach(places, point, btf_path));
  if (point.trial != nullptr)
    if (Verdict verdict = point.trial(attached.object()); !verdict.yes)
      return Error{ErrorKind::hook, std::move(verdict.reason), std::move(verdict.cure)};
  return ok_status();
}

}  // namespace

Result<FirstLooks> FirstLooks::attach(const AttachPoints& places, const AttachPoint& point,
                                      const std::string& btf_path) {
  lower::bpf::LoadOptions options;
  options.name = "grapnel_look";
  options.btf_path = btf_path;
  options.programs.assign(point.programs.begin(), point.programs.end());
  GRAPNEL_TRY(auto object, lower::bpf::Object::load(places.first_looks, options));
  FirstLooks looks(std::move(object));
  for (const std::string& program : options.programs) {
    GRAPNEL_TRY(auto link, looks.object_.attach(program));
    looks.links_.push_back(std::move(link));
  }
  return looks;
}

Result<const AttachPoint*> find_attach_point(const AttachPoints& places,
                                             const std::string& btf_path) {
  Error all{ErrorKind::hook, "the kernel gives no " + std::string(places.what), "use another hook"};
  for (const AttachPoint& point : places.points) {
    const Status tried = try_point(places, point, btf_path);
    if (tried.ok()) return &point;
    all.message += "; " + point.text() + ": " + tried.error().message;
    if (!tried.error().hint.empty()) all.hint = tried.error().hint;
  }
  return all;
}

}  // namespace grapnel::hooks::kernel
