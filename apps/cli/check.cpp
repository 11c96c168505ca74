// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "apps/cli/simulated_job.h"

namespace spinetherm {

Run check_command(CLI::App& app) {
  auto directory = std::make_shared<std::filesystem::path>();
  app.add_option("DIR", *directory, "a directory that 'simulate' or 'run' wrote")->required();
  return [directory](const CommandContext& context) -> int {
    return print_result(case_result(read_simulated_job(*directory, context)), {}, context);
  };
}

}  // namespace spinetherm
