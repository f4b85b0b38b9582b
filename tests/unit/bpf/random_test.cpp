// Random files through each hook in the kernel and the interpreter. The seed is printed with each
// failure; GRAPNEL_TEST_SEED repeats a run.
#include <random>
#include <string>
#include <vector>

#include "fixture.h"

namespace grapnel::bpf_test {
namespace {

/// Writes records of id BIGINT, price DECIMAL(15,2), day DATE, flag VARCHAR, note VARCHAR whose
/// style changes from stretch to stretch: so pages with and without quotes, with short and long
/// records, with and without odd values follow each other.
class Writer {
 public:
  explicit Writer(uint64_t seed) : random_(seed) {}

  std::string file(size_t bytes) {
    std::string text;
    while (text.size() < bytes) {
      choose_style();
      const size_t end = text.size() + below(9000);
      while (text.size() < end) text += record();
    }
    if (below(2) == 0) text.pop_back();
    return text;
  }

 private:
  uint64_t below(uint64_t bound) { return random_() % bound; }
  bool one_in(uint64_t n) { return below(n) == 0; }

  void choose_style() {
    quotes_ = one_in(2);
    odd_ = one_in(3);
    nulls_ = one_in(3);
    longest_ = one_in(6) ? 9000 : one_in(3) ? 300 : 20;
    crlf_ = one_in(4);
  }

  std::string number() {
    std::string text = one_in(5) ? "-" : "";
    text += std::to_string(below(one_in(4) ? 1'000'000'000'000 : 1000));
    if (odd_ && one_in(10)) text = one_in(2) ? " " + text : "+" + std::to_string(below(100));
    return text;
  }

  std::string price() {
    std::string text = number();
    if (text.size() > 12 || one_in(4)) return text;
    text += "." + std::to_string(below(one_in(3) ? 10 : 100));
    if (odd_ && one_in(10)) text += "5";
    return text;
  }

  std::string day() {
    const auto two = [](uint64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
    if (one_in(50)) return "2000-02-29";
    return std::to_string(1900 + below(200)) + "-" + two(1 + below(12)) + "-" + two(1 + below(28));
  }

  std::string words(size_t most) {
    static constexpr const char* kPieces[] = {"a", "be", " ", "*", "x", "\xc3\xa9", "0", ".", "-"};
    std::string text;
    const size_t size = below(most + 1);
    while (text.size() < size) text += kPieces[below(std::size(kPieces))];
    return text;
  }

  std::string text(size_t most) {
    std::string plain = words(most);
    if (!quotes_ || one_in(2)) return plain;
    std::string quoted = "\"";
    for (const char c : plain) {
      quoted += c;
      if (one_in(20)) quoted += one_in(2) ? "\"\"" : one_in(2) ? "," : "\n";
    }
    return quoted + "\"";
  }

  std::string record() {
    if (one_in(200)) return crlf_ ? "\r\n" : "\n";
    std::vector<std::string> fields = {number(), price(), day(), text(one_in(9) ? 40 : 3),
                                       text(longest_)};
    std::string line;
    for (size_t i = 0; i < fields.size(); i++) {
      if (i > 0) line += ',';
      if (!nulls_ || !one_in(4)) line += fields[i];
    }
    return line + (crlf_ ? "\r\n" : "\n");
  }

  std::mt19937_64 random_;
  bool quotes_ = false, odd_ = false, nulls_ = false, crlf_ = false;
  size_t longest_ = 20;
};

uint64_t first_seed() {
  const char* seed = getenv("GRAPNEL_TEST_SEED");
  return seed != nullptr ? std::stoull(seed) : std::random_device()();
}

TEST_P(KernelHookTest, random_files) {
  const std::vector<std::string> queries = {
      "SELECT count(*) FROM %",
      "SELECT count(*), sum(id), sum(price), min(day), max(price) FROM %",
      "SELECT count(*), sum(id) FROM % WHERE price > 100 AND day < DATE '2000-01-01'",
      "SELECT flag, count(*), sum(price), max(id) FROM % GROUP BY flag",
      "SELECT day, id % 7, count(*), count(note) FROM % WHERE id > 0 GROUP BY 1, 2",
      "SELECT id, price, note FROM % WHERE id < 50 OR flag = 'x'",
      "SELECT count(*), max(id) FROM % WHERE note IS NULL OR note LIKE 'be%%'",
      "SELECT count(*), sum(id) FROM % WHERE note LIKE '%%t%%' OR flag LIKE '%%a'",
  };
  const uint64_t seed = first_seed();
  uint64_t escapes = 0, records = 0;
  for (uint64_t round = 0; round < 12; round++) {
    SCOPED_TRACE("GRAPNEL_TEST_SEED=" + std::to_string(seed + round));
    const std::string path = directory_.write("random.csv", Writer(seed + round).file(150'000));
    const std::string table =
        "csv('" + path +
        "', delim => ',', quote => '\"', header => false, columns => 'id BIGINT, price "
        "DECIMAL(15,2), day DATE, flag VARCHAR, note VARCHAR')";
    for (const std::string& query : queries) {
      std::string sql = query;
      sql.replace(sql.find("FROM %") + 5, 1, table);
      const Answer answer =
          expect_same(sql, {.threads = 2, .extent_bytes = round % 2 == 0 ? 0U : 10'007U});
      EXPECT_FALSE(answer.failed) << answer.text;
      escapes += answer.counters.escapes;
      records += answer.counters.records;
      if (HasFailure()) return;
    }
  }
  // It was the program in the kernel that did most of them.
  EXPECT_GT(records, 0U);
  EXPECT_LT(escapes * 2, records);
}

}  // namespace
}  // namespace grapnel::bpf_test
