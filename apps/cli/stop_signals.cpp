// SPDX-License-Identifier: Apache-2.0
#include "apps/cli/stop_signals.h"

#include <csignal>
#include <thread>

namespace spinetherm {

std::stop_token stop_on_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // threads that start later inherit the mask

  std::stop_source source;
  std::stop_token token = source.get_token();
  std::thread([signals, source = std::move(source)]() mutable {
    int signal = 0;
    if (sigwait(&signals, &signal) != 0) return;
    source.request_stop();
    if (sigwait(&signals, &signal) != 0) return;
    std::signal(signal, SIG_DFL);
    pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
    std::raise(signal);
  }).detach();
  return token;
}

}  // namespace spinetherm
