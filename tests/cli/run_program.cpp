// SPDX-License-Identifier: Apache-2.0
#include "tests/cli/run_program.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "tests/sample_scans.h"

namespace spinetherm {
namespace fs = std::filesystem;
namespace {

std::string contents(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

[[noreturn]] void become_program(const std::vector<std::string>& arguments, const RunOptions& options,
                                 const fs::path& out, const fs::path& err) {
  const int out_fd = open(out.c_str(), O_WRONLY | O_CREAT, 0600);
  const int err_fd = open(err.c_str(), O_WRONLY | O_CREAT, 0600);
  if (out_fd < 0 || err_fd < 0 || dup2(out_fd, STDOUT_FILENO) < 0 || dup2(err_fd, STDERR_FILENO) < 0)
    _exit(126);
  if (!options.working_directory.empty() && chdir(options.working_directory.c_str()) != 0) _exit(126);
  if (options.memory_limit_MB > 0) {
    const auto bytes = static_cast<rlim_t>(options.memory_limit_MB * 1024 * 1024);
    const rlimit limit{bytes, bytes};
    if (setrlimit(RLIMIT_AS, &limit) != 0) _exit(126);
  }
  std::vector<std::string> words = arguments;
  words.insert(words.begin(), SPINETHERM_PROGRAM);
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  execv(SPINETHERM_PROGRAM, argv.data());
  _exit(127);
}

}  // namespace

ScratchFolder::ScratchFolder() {
  std::string name = (fs::temp_directory_path() / "spinetherm-test-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no scratch folder");
  path_ = fs::canonical(name);
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::vector<std::string> ScratchFolder::listing() const {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(path_))
    names.push_back(entry.path().lexically_relative(path_).string() + (entry.is_directory() ? "/" : ""));
  std::sort(names.begin(), names.end());
  return names;
}

Ran run_program(const std::vector<std::string>& arguments, const RunOptions& options) {
  const ScratchFolder streams;
  const fs::path out = streams / "out";
  const fs::path err = streams / "err";
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("cannot fork");
  if (child == 0) become_program(arguments, options, out, err);
  int status = 0;
  bool ended = false;
  while (options.interrupt_with != 0 && !ended && !options.interrupt_when()) {
    usleep(10000);
    ended = waitpid(child, &status, WNOHANG) == child;
  }
  if (options.interrupt_with != 0 && !ended) kill(child, options.interrupt_with);
  if (!ended && waitpid(child, &status, 0) != child) throw std::runtime_error("cannot wait for the program");
  Ran ran;
  ran.code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  ran.out = contents(out);
  ran.err = contents(err);
  return ran;
}

fs::path scans_folder() {
  const fs::path folder = sample_scans();
  return fs::is_directory(folder) ? fs::canonical(folder) : fs::path();
}

}  // namespace spinetherm
