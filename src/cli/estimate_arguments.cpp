#include "cli/estimate_arguments.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>
#include <utility>

namespace grapnel::cli {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

constexpr Unit kBytes[] = {{"", 1},
                           {"B", 1},
                           {"KB", 1e3},
                           {"MB", 1e6},
                           {"GB", 1e9},
                           {"TB", 1e12},
                           {"KiB", 1024.0},
                           {"MiB", 1048576.0},
                           {"GiB", 1073741824.0},
                           {"TiB", 1099511627776.0}};
constexpr Unit kSeconds[] = {{"s", 1}, {"ms", 1e-3}, {"us", 1e-6}, {"ns", 1e-9}};
constexpr Unit kShares[] = {{"", 1}, {"%", 0.01}};

template <size_t N>
std::optional<double> parse_with_unit(std::string_view text, const Unit (&units)[N]) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || !std::isfinite(value) || value < 0) return std::nullopt;
  std::string_view rest(end, static_cast<size_t>(text.data() + text.size() - end));
  while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
  for (const Unit& unit : units)
    if (unit.name == rest) return value * unit.factor;
  return std::nullopt;
}

using Parser = std::optional<double> (*)(std::string_view);

void add(CLI::App& app, const char* name, EstimateCommand& command,
         double api::EstimateInput::* value, Parser parse, const char* unit,
         const std::string& text) {
  app.add_option_function<std::string>(
         name,
         [&command, value, parse, unit, name](const std::string& given) {
           const auto parsed = parse(given);
           if (!parsed)
             throw CLI::ValidationError(name, "'" + given + "' is not like " + std::string(unit));
           command.given.emplace_back(value, *parsed);
         },
         text)
      ->type_name(unit);
}

void set_connect(const std::string& given, EstimateCommand& command) {
  const std::pair<const char*, double> kinds[] = {{"open", 0}, {"tcp", 1}, {"tls", 2}};
  for (const auto& [name, round_trips] : kinds) {
    if (given != name) continue;
    command.given.emplace_back(&api::EstimateInput::connect_round_trips, round_trips);
    return;
  }
  throw CLI::ValidationError("--connect", "'" + given + "' is none of open|tcp|tls");
}

/// "pipe=2GB/s": replaces the rate of a hook. Which ones the model has is not known yet.
void set_hook_rate(const std::string& given, EstimateCommand& command) {
  const size_t equals = given.find('=');
  const auto rate =
      equals == std::string::npos ? std::nullopt : parse_bytes(given.substr(equals + 1));
  if (!rate) throw CLI::ValidationError("--hook-rate", "'" + given + "' is not like pipe=2GB/s");
  command.given_rates.emplace_back(given.substr(0, equals), *rate);
}

void set_format(const std::string& given, EstimateCommand& command) {
  const std::pair<const char*, EstimateFormat> formats[] = {{"table", EstimateFormat::table},
                                                            {"json", EstimateFormat::json},
                                                            {"svg", EstimateFormat::svg}};
  for (const auto& [name, format] : formats) {
    if (given != name) continue;
    command.format = format;
    return;
  }
  throw CLI::ValidationError("--format", "'" + given + "' is none of table|json|svg");
}

}  // namespace

std::optional<double> parse_bytes(std::string_view text) {
  if (text.ends_with("/s")) text.remove_suffix(2);
  return parse_with_unit(text, kBytes);
}

std::optional<double> parse_seconds(std::string_view text) {
  return parse_with_unit(text, kSeconds);
}

std::optional<double> parse_share(std::string_view text) { return parse_with_unit(text, kShares); }

std::optional<api::Error> apply_given(const EstimateCommand& command, api::EstimateInput& input) {
  for (const auto& [member, value] : command.given) input.*member = value;
  for (const auto& [name, rate] : command.given_rates) {
    const auto hook = std::find_if(input.hooks.begin(), input.hooks.end(),
                                   [&name = name](const auto& one) { return one.name == name; });
    if (hook == input.hooks.end()) {
      std::string names;
      for (const api::ProcessingRate& one : input.hooks) names += " " + one.name;
      return api::Error{api::ErrorKind::usage,
                        "--hook-rate: there is no hook '" + name + "' in the model",
                        "there are:" + names, 0, std::nullopt};
    }
    hook->bytes_per_second = rate;
  }
  return std::nullopt;
}

void describe_estimate(CLI::App& app, EstimateCommand& command) {
  app.footer(
      "Every term is the model's. With --query the numbers come from the statement's file, from "
      "what\n"
      "`grapnel calibrate` and earlier scans have measured, and with --on from the link to the\n"
      "server; what is given as an option wins. Without --query they are built-in ones.\n"
      " Storage, transfer and processing overlap: the slowest counts "
      "in\n"
      "full.");
  CLI::Option* query =
      app.add_option("--query", command.sql, "of this statement, on its file as it is cached now")
          ->type_name("SQL");
  add_server(app, command.on, "the file is at this server; with --query")->needs(query);
  add(app, "--size", command, &api::EstimateInput::file_bytes, parse_bytes, "10GB",
      "of the file; default 10GB");
  add(app, "--result", command, &api::EstimateInput::result_bytes, parse_bytes, "100B",
      "what comes back; default 100 bytes");
  add(app, "--cached", command, &api::EstimateInput::cached_share, parse_share, "25%",
      "in the server's page cache; default 0");
  add(app, "--devices", command, &api::EstimateInput::devices, parse_bytes, "1",
      "read at the same time; default 1");
  add(app, "--device-rate", command, &api::EstimateInput::device_bytes_per_second, parse_bytes,
      "2GB/s", "of one device");
  add(app, "--link", command, &api::EstimateInput::link_bytes_per_second, parse_bytes, "1GB/s",
      "bandwidth; default 1GB/s");
  add(app, "--rtt", command, &api::EstimateInput::rtt_seconds, parse_seconds, "10ms",
      "round trip; default 10ms");
  add(app, "--window", command, &api::EstimateInput::tcp_window_bytes, parse_bytes, "6MiB",
      "TCP window; default: as the link needs");
  app.add_option_function<std::string>(
         "--connect", [&command](const std::string& given) { set_connect(given, command); },
         "open (default), tcp or tls: round trips before the request")
      ->type_name("open|tcp|tls");
  add(app, "--threads", command, &api::EstimateInput::server_threads, parse_bytes, "1",
      "at the server; default 1");
  add(app, "--client-rate", command, &api::EstimateInput::client_bytes_per_second, parse_bytes,
      "2.5GB/s", "of the program at the client, per thread");
  add(app, "--client-threads", command, &api::EstimateInput::client_threads, parse_bytes, "1",
      "default 1");
  add(app, "--tool-rate", command, &api::EstimateInput::tool_bytes_per_second, parse_bytes,
      "0.35GB/s", "of usual tools (awk) at the server");
  app.add_option_function<std::vector<std::string>>(
         "--hook-rate",
         [&command](const std::vector<std::string>& given) {
           for (const std::string& one : given) set_hook_rate(one, command);
         },
         "of a hook, one thread, cached bytes, the operation included")
      ->type_name("pipe=2GB/s");
  add(app, "--ssd-internal", command, &api::EstimateInput::ssd_internal_bytes_per_second,
      parse_bytes, "5GB/s",
      "bandwidth inside a programmable SSD; default 2.8 times the device's rate");
  add(app, "--ssd-compute", command, &api::EstimateInput::ssd_compute_bytes_per_second, parse_bytes,
      "3GB/s", "its processing rate; default 1.7 times the device's rate");
  app.add_option_function<std::string>(
         "--format", [&command](const std::string& given) { set_format(given, command); },
         "default table")
      ->type_name("table|json|svg");
}

}  // namespace grapnel::cli
