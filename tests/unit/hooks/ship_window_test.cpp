// What has come over the network and was not taken yet.
#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "hooks/memory_file.h"
#include "hooks/ship/window.h"

namespace grapnel::hooks::ship {
namespace {

using ship_test::MemoryFile;
using ship_test::MemoryStream;

std::string letters(size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>('a' + random() % 26);
  return text;
}

std::unique_ptr<Window> window_on(const std::shared_ptr<MemoryFile>& file, uint64_t begin,
                                  size_t most_bytes) {
  const uint64_t end = file->content.size();
  return std::make_unique<Window>(
      [file, begin, end]() -> Result<std::unique_ptr<source::FileStream>> {
        return std::unique_ptr<source::FileStream>(
            std::make_unique<MemoryStream>(file, begin, end));
      },
      begin, end, most_bytes);
}

/// The bytes of a range, or the error's message.
std::string take_all(Window& window, uint64_t begin, uint64_t end, const CancelToken& cancel) {
  std::string text;
  while (begin < end) {
    const auto part = window.take(begin, end, cancel);
    if (!part.ok()) return "error: " + part.error().message;
    if (part->bytes.empty()) return text + " (end)";
    text += part->bytes;
    begin += part->bytes.size();
  }
  return text;
}

TEST(ShipWindow, GivesRangesWhereverTheyAreCut) {
  const auto file = std::make_shared<MemoryFile>(letters(10'000, 1));
  const auto window = window_on(file, 500, 100'000);
  const CancelToken cancel;
  // Out of order, and over the borders of what comes in one piece.
  EXPECT_EQ(take_all(*window, 3'210, 7'777, cancel), file->content.substr(3'210, 4'567));
  EXPECT_EQ(take_all(*window, 500, 3'210, cancel), file->content.substr(500, 2'710));
  EXPECT_EQ(take_all(*window, 7'777, 10'000, cancel), file->content.substr(7'777));
  EXPECT_EQ(window->held_bytes(), 0U);
}

TEST(ShipWindow, AStreamThatEndsEarlyIsSeen) {
  const auto file = std::make_shared<MemoryFile>(letters(5'000, 2));
  const auto window = window_on(file, 0, 100'000);
  file->content.resize(3'500);
  const CancelToken cancel;
  EXPECT_EQ(take_all(*window, 0, 5'000, cancel), file->content + " (end)");
}

TEST(ShipWindow, AnErrorReachesWhoWaitsBehindIt) {
  const auto file = std::make_shared<MemoryFile>(letters(5'000, 3));
  file->error = Error{ErrorKind::network, "the line is cut", {}, 0, std::nullopt};
  file->error_at = 2'000;
  const auto window = window_on(file, 0, 100'000);
  const CancelToken cancel;
  EXPECT_EQ(take_all(*window, 3'000, 4'000, cancel), "error: the line is cut");
  EXPECT_EQ(take_all(*window, 0, 2'000, cancel), file->content.substr(0, 2'000)) << "came before";
}

TEST(ShipWindow, WhoWaitsCanBeCancelled) {
  const auto file = std::make_shared<MemoryFile>(letters(5'000, 4));
  file->blocks_at = 1'000;
  const auto window = window_on(file, 0, 100'000);
  CancelToken cancel;
  std::thread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    cancel.cancel();
  });
  const auto part = window->take(4'000, 5'000, cancel);
  canceller.join();
  ASSERT_FALSE(part.ok());
  EXPECT_EQ(part.error().kind, ErrorKind::cancelled);
  // The destructor ends the stream, which would wait for ever.
}

TEST(ShipWindow, WhatIsGivenUpMakesRoom) {
  const auto file = std::make_shared<MemoryFile>(letters(50'000, 5));
  const auto window = window_on(file, 0, 3'000);
  const CancelToken cancel;
  EXPECT_EQ(take_all(*window, 0, 100, cancel), file->content.substr(0, 100));
  window->give_up(100, 20'300);     // some of it has come, most has not
  window->give_up(20'300, 45'500);  // nothing of it has come
  EXPECT_EQ(take_all(*window, 45'500, 50'000, cancel), file->content.substr(45'500));
  EXPECT_EQ(window->held_bytes(), 0U);
}

TEST(ShipWindow, UnusedItAsksForNothing) {
  const auto file = std::make_shared<MemoryFile>(letters(100, 6));
  const auto window = window_on(file, 0, 100);
  window->give_up(0, 50);
  EXPECT_EQ(window->held_bytes(), 0U);
}

// As a scan does it: workers claim ranges in order, and leave some of them early.
TEST(ShipWindow, ManyWorkersWithLittleRoom) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  const auto file = std::make_shared<MemoryFile>(letters(2'000'000, seed));
  file->chunk_bytes = 7'001;
  const auto window = window_on(file, 0, 20'000);
  std::vector<uint64_t> borders = {0};
  std::mt19937 random(seed);
  while (borders.back() < file->content.size()) {
    borders.push_back(std::min<uint64_t>(borders.back() + 1 + random() % 30'000, 2'000'000));
  }
  std::atomic<size_t> next{0};
  std::atomic<unsigned> wrong{0};
  const CancelToken cancel;
  const auto work = [&](unsigned worker_seed) {
    std::mt19937 own(worker_seed);
    for (size_t i = next++; i + 1 < borders.size(); i = next++) {
      const uint64_t begin = borders[i];
      const uint64_t end = borders[i + 1];
      const uint64_t leaves_at = own() % 4 == 0 ? begin + own() % (end - begin) : end;
      if (take_all(*window, begin, leaves_at, cancel) !=
          file->content.substr(begin, leaves_at - begin)) {
        wrong++;
      }
      window->give_up(leaves_at, end);
    }
  };
  std::vector<std::thread> workers;
  for (unsigned i = 0; i < 4; i++) workers.emplace_back(work, seed + i);
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(wrong, 0U);
  EXPECT_EQ(window->held_bytes(), 0U);
}

}  // namespace
}  // namespace grapnel::hooks::ship
