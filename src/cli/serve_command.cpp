#include <csignal>
#include <iostream>

#include "cli/commands.h"

namespace grapnel::cli {

int run_serve(const ServeCommand& command) {
  // Blocked before the server starts its threads, so that only sigwait below gets them.
  sigset_t stop_signals;
  ::sigemptyset(&stop_signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&stop_signals, signal);
  ::pthread_sigmask(SIG_BLOCK, &stop_signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);  // NOLINT(cert-err33-c): cannot fail for SIGPIPE

  auto server = api::Server::start(command.options);
  if (!server) return report(server.error());
  std::cerr << "grapnel: serving " << command.options.root << " on " << server->address()
            << " (Arrow Flight SQL; ctrl-C stops)" << std::endl;
  int signal = 0;
  while (::sigwait(&stop_signals, &signal) != 0) {
  }
  std::cerr << "grapnel: stopping\n";
  server->stop();
  return kExitOk;
}

}  // namespace grapnel::cli
