// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stop_token>

namespace spinetherm {

/// From now on the first SIGINT or SIGTERM requests a stop, so that a command can clean up; a second one
/// kills the program. Call once, before any thread is started: a thread of its own waits for the signals.
std::stop_token stop_on_signals();

}  // namespace spinetherm
