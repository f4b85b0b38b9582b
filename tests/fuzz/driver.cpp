// Runs a fuzz target (LLVMFuzzerTestOneInput) without libFuzzer: inputs made at random from pieces
// that csv files are made of. Usage: PROGRAM [COUNT [SEED]]; or PROGRAM FILE... to repeat inputs.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr std::string_view kPieces[] = {
    ",",     "|",          ";",     "\t",   "\n",  "\r\n",
    "\r",    "\"",         "\"\"",  "'",    "a",   "1",
    "-2.",   "0.25",       "1e5",   "true", " ",   "007",
    "\n\n",  "2020-01-31", "\",\"", "\"\n", "x,y", "1,2\n3,4\n",
    "a,b\n", "é",          "\xff",  "nan",  "|\n", "9223372036854775808"};

std::string random_input(std::mt19937_64& random) {
  std::string input;
  for (int i = 0; i < 3; ++i) input.push_back(static_cast<char>(random()));
  // Few kinds of pieces per input, so that records repeat their shape.
  std::string_view chosen[6];
  for (std::string_view& piece : chosen) piece = kPieces[random() % std::size(kPieces)];
  const size_t pieces = random() % 60;
  for (size_t i = 0; i < pieces; ++i) input += chosen[random() % std::size(chosen)];
  return input;
}

void run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::ifstream(argv[1]).good()) {
    for (int i = 1; i < argc; ++i) {
      std::ifstream file(argv[i], std::ios::binary);
      run({std::istreambuf_iterator<char>(file), {}});
    }
    return 0;
  }
  const unsigned long count = argc > 1 ? strtoul(argv[1], nullptr, 10) : 20'000;
  const unsigned long seed = argc > 2 ? strtoul(argv[2], nullptr, 10) : std::random_device{}();
  printf("%lu inputs, seed %lu\n", count, seed);
  fflush(stdout);
  std::mt19937_64 random(seed);
  for (unsigned long i = 0; i < count; ++i) run(random_input(random));
  return 0;
}
