#include "engine/ship_or_push.h"

#include <utility>

#include "choose/choose.h"
#include "choose/learn.h"
#include "engine/engine.h"
#include "engine/prepare.h"
#include "hooks/common/rates.h"

namespace grapnel::engine {
namespace {

class ShipOrPush final : public wire::Executor {
 public:
  ShipOrPush(std::unique_ptr<wire::Executor> server, std::string address)
      : address_(std::move(address)),
        server_(std::move(server)),
        here_(make_shipping_engine(
            {[this](const source::FileRequest& request) { return server_->read_file(request); },
             address_})) {}

  Result<std::unique_ptr<wire::RunningQuery>> execute(
      std::string_view sql, const wire::ExecuteOptions& options) override {
    const auto named = choose::parse_hook_request(options.hook);
    if (named.ok() && named->name == "ship") return here_->execute(sql, options);
    // What is promised about the server's page cache is kept there.
    if (!named.ok() || !named->name.empty() || options.polite) {
      return server_->execute(sql, options);
    }
    wire::ExecuteOptions with_offer = options;
    with_offer.ship_offer = offer(options.threads);
    GRAPNEL_TRY(auto query, server_->execute(sql, with_offer));
    const std::string why = query->rather_ship();
    if (why.empty()) return query;
    query.reset();
    wire::ExecuteOptions shipped = options;
    shipped.why_shipped = why;
    return here_->execute(sql, shipped);
  }
  Result<std::unique_ptr<source::FileStream>> read_file(
      const source::FileRequest& request) override {
    return server_->read_file(request);
  }
  Result<uint64_t> pull_bytes(uint64_t bytes) override { return server_->pull_bytes(bytes); }

 private:
  /// By what a calibration has measured; nothing is measured for a query.
  [[nodiscard]] wire::ShipOffer offer(unsigned threads) const {
    choose::recall();
    const auto link = hooks::known_link(address_).value_or(hooks::KnownLink{});
    return {link.bytes_per_second, link.rtt_seconds, threads == 0 ? usable_cpus() : threads};
  }

  const std::string address_;
  std::unique_ptr<wire::Executor> server_;
  std::unique_ptr<wire::Executor> here_;  ///< uses the server
};

}  // namespace

std::unique_ptr<wire::Executor> make_ship_or_push(std::unique_ptr<wire::Executor> server,
                                                  std::string address) {
  return std::make_unique<ShipOrPush>(std::move(server), std::move(address));
}

}  // namespace grapnel::engine
