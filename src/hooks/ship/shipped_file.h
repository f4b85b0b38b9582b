// A file of a server, as one query sees it.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "hooks/hook.h"
#include "hooks/ship/window.h"
#include "source/file_stream.h"

namespace grapnel::hooks::ship {

/// Where files come from.
struct Server {
  source::FileOpener open;
  std::string
      address;  ///< "HOST:PORT", under which the link's rate is known (hooks/common/rates.h)
};

/// Thread-safe. For one query: its extents are expected once each, and in file order.
class ShippedFile final : public source::RemoteFile {
 public:
  /// One round trip, which brings the file's first bytes too. Errors: as source::FileOpener.
  static Result<std::shared_ptr<ShippedFile>> open(Server server, const std::string& path);

  [[nodiscard]] const source::FileIdentity& identity() const override { return identity_; }
  [[nodiscard]] source::FileState last_state() const override;
  Result<std::unique_ptr<source::FileStream>> stream(uint64_t begin, uint64_t end) override;
  [[nodiscard]] uint64_t bytes_received() const override;

  /// Where the bytes of an extent come from: the window that all workers share, or, for an extent
  /// that has had its bytes before and is done anew, one of its own. The shared one ends with its
  /// last owner: a worker keeps it, in `shared`, until it closes. The file must outlive it.
  std::shared_ptr<Window> window_for(const Extent& extent, std::shared_ptr<Window>& shared);
  /// The file's first bytes, which came when it was opened.
  [[nodiscard]] std::string_view head() const { return head_; }
  [[nodiscard]] const std::string& server_address() const { return server_.address; }

 private:
  class Watched;
  explicit ShippedFile(Server server, std::string path);
  Result<std::unique_ptr<source::FileStream>> ask(uint64_t begin, uint64_t end);
  Status read_head();
  void note(const source::FileState& state, size_t bytes);
  std::shared_ptr<Window> make_window(uint64_t begin, uint64_t end);

  const Server server_;
  const std::string path_;
  source::FileIdentity identity_;
  std::string head_;

  mutable std::mutex mutex_;
  source::FileState last_state_;
  uint64_t bytes_received_ = 0;
  std::weak_ptr<Window> known_shared_;  ///< up to the file's end
  bool has_shared_ = false;             ///< there is or was a shared window
};

}  // namespace grapnel::hooks::ship
