#include "calibrate/scratch.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>

namespace grapnel::calibrate {
namespace {

/// Small and the same everywhere; quality does not matter here.
class Numbers {
 public:
  uint32_t below(uint32_t limit) {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return static_cast<uint32_t>((state_ >> 33) % limit);
  }

 private:
  uint64_t state_ = 88172645463325252U;
};

void append_date(std::string& text, Numbers& numbers) {
  char date[16];
  std::snprintf(date, sizeof date, "%u-%02u-%02u|", 1992 + numbers.below(7), 1 + numbers.below(12),
                1 + numbers.below(28));
  text += date;
}

void append_line(std::string& text, Numbers& numbers, uint32_t order) {
  static constexpr std::array<std::string_view, 4> kHow = {"DELIVER IN PERSON", "COLLECT COD",
                                                           "NONE", "TAKE BACK RETURN"};
  static constexpr std::array<std::string_view, 7> kMode = {"REG AIR", "AIR",  "RAIL", "SHIP",
                                                            "TRUCK",   "MAIL", "FOB"};
  static constexpr std::array<std::string_view, 6> kWords = {"carefully", "final",  "deposits",
                                                             "sleep",     "across", "packages"};
  char head[128];
  std::snprintf(head, sizeof head, "%u|%u|%u|%u|%u|%u.%02u|0.%02u|0.%02u|%c|%c|", order,
                1 + numbers.below(200'000), 1 + numbers.below(10'000), 1 + numbers.below(7),
                1 + numbers.below(50), 900 + numbers.below(90'000), numbers.below(100),
                numbers.below(11), numbers.below(9), "ANR"[numbers.below(3)],
                "FO"[numbers.below(2)]);
  text += head;
  for (int i = 0; i < 3; i++) append_date(text, numbers);
  text += kHow[numbers.below(kHow.size())];
  text += '|';
  text += kMode[numbers.below(kMode.size())];
  text += '|';
  for (uint32_t words = 2 + numbers.below(3); words > 0; words--) {
    text += kWords[numbers.below(kWords.size())];
    text += ' ';
  }
  text.back() = '\n';
}

}  // namespace

const char* const kLineitemColumns =
    "l_orderkey BIGINT, l_partkey BIGINT, l_suppkey BIGINT, l_linenumber INTEGER, "
    "l_quantity DECIMAL(15,2), l_extendedprice DECIMAL(15,2), l_discount DECIMAL(15,2), "
    "l_tax DECIMAL(15,2), l_returnflag VARCHAR, l_linestatus VARCHAR, l_shipdate DATE, "
    "l_commitdate DATE, l_receiptdate DATE, l_shipinstruct VARCHAR, l_shipmode VARCHAR, "
    "l_comment VARCHAR";
const char* const kFixedColumns = "a BIGINT, b INTEGER, c INTEGER, d BIGINT";

std::string lineitem_text(uint64_t bytes) {
  // Repeated: what matters is that the cache of the CPU does not hold it.
  constexpr uint64_t kUnique = 4 << 20;
  std::string text;
  text.reserve(bytes + kUnique);
  Numbers numbers;
  for (uint32_t order = 1; text.size() < std::min(bytes, kUnique); order++) {
    append_line(text, numbers, order);
  }
  const size_t unique = text.size();
  while (text.size() < bytes) text.append(text, 0, unique);
  return text;
}

std::string fixed_records(uint64_t bytes) {
  struct Record {
    int64_t a;
    int32_t b;
    int32_t c;
    int64_t d;
  };
  static_assert(sizeof(Record) == 24);
  std::string text(bytes / sizeof(Record) * sizeof(Record), '\0');
  Numbers numbers;
  for (size_t at = 0; at < text.size(); at += sizeof(Record)) {
    const Record record{static_cast<int64_t>(at), static_cast<int32_t>(numbers.below(1000)),
                        static_cast<int32_t>(numbers.below(50)), numbers.below(1'000'000)};
    std::memcpy(text.data() + at, &record, sizeof record);
  }
  return text;
}

Result<ScratchFile> ScratchFile::make(const std::string& directory, const std::string& content) {
  UniqueFd file(::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!file.valid()) {
    return Error::system("cannot make an unnamed file in " + directory, errno,
                         "name a directory on a disk with --dir");
  }
  for (size_t done = 0; done < content.size();) {
    const ssize_t put = ::write(file.get(), content.data() + done, content.size() - done);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) {
      return Error::system("cannot write the data of the calibration to " + directory, errno,
                           "some 50 MB are needed there; --dir names another directory");
    }
    done += static_cast<size_t>(put);
  }
  // What is still to be written would be written while others are measured.
  if (::fsync(file.get()) != 0) {
    return Error::system("cannot write the data of the calibration to " + directory, errno);
  }
  return ScratchFile(std::move(file), content.size());
}

}  // namespace grapnel::calibrate
