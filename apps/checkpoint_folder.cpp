// SPDX-License-Identifier: Apache-2.0
#include "apps/checkpoint_folder.h"

#include <fmt/format.h>

#include <fstream>

#include "apps/output_directory.h"
#include "apps/version.h"
#include "imaging/core/error.h"

namespace spinetherm {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kTitle = "spinetherm checkpoint ";

std::string first_line() { return fmt::format("{}{}\n", kTitle, version()); }

std::vector<std::byte> read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string title(kTitle.size(), ' '), of;
  in.read(title.data(), std::streamsize(title.size()));
  std::getline(in, of);
  // What is no version number would spoil the message.
  const bool plain =
      of.size() < 32 && of.find_first_not_of("0123456789.abcdefghijklmnopqrstuvwxyz-+") == std::string::npos;
  if (!in || title != kTitle || !plain)
    throw CheckpointError("this is no checkpoint, or a damaged one", file.string(),
                          "start anew without --resume (--force replaces it)");
  if (of != version())
    throw CheckpointError(fmt::format("the checkpoint was written by version {}, this is {}", of, version()),
                          file.string(),
                          "resume with that version, or start anew without --resume (--force replaces it)");
  std::vector<std::byte> bytes(std::size_t(fs::file_size(file)) - title.size() - of.size() - 1);
  in.read(reinterpret_cast<char*>(bytes.data()), std::streamsize(bytes.size()));
  if (!in) throw IoError("cannot be read", file.string(), "check the disk");
  return bytes;
}

void write(const std::function<void(const Archive::Sink&)>& write_to, const fs::path& file) {
  try {
    fs::create_directories(file.parent_path());
    const fs::path unfinished = file.string() + ".unfinished";
    std::ofstream out(unfinished, std::ios::binary);
    out << first_line();
    write_to([&](std::span<const std::byte> part) {
      out.write(reinterpret_cast<const char*>(part.data()), std::streamsize(part.size()));
    });
    out.close();
    if (!out) throw IoError("cannot write the checkpoint", unfinished.string(), "is the disk full?");
    fs::rename(unfinished, file);
  } catch (const fs::filesystem_error& e) {
    throw IoError("cannot write the checkpoint", e.path1().string(), e.code().message());
  }
}

}  // namespace

CheckpointFolder::CheckpointFolder(const fs::path& results, double period_s, bool resume)
    : path_(results / kCheckpointFolder), period_s_(period_s) {
  std::error_code ignored;
  if (!resume)
    fs::remove_all(path_, ignored);
  else if (!any())
    throw IoError("there is no checkpoint to resume from", results.string(),
                  fs::exists(results / "result.json", ignored)
                      ? "the results there are complete"
                      : "name the --out directory of the run that was stopped, or run without --resume");
}

Checkpointing CheckpointFolder::next() {
  if (path_.empty()) return {};
  const fs::path file = path_ / fmt::format("{}.bin", ++runs_);
  Checkpointing c;
  c.period_s = period_s_;
  c.save = [file](const auto& write_to) { write(write_to, file); };
  if (!fs::exists(file)) return c;
  c.resume_from = read(file);
  try {
    require_whole(c.resume_from);
  } catch (CheckpointError& e) {
    e.within(file.string());
    throw;
  }
  return c;
}

bool CheckpointFolder::any() const {
  std::error_code ignored;
  return !path_.empty() && fs::exists(path_ / "1.bin", ignored);
}

void CheckpointFolder::remove() {
  std::error_code ignored;  // the results are there; whoever cannot delete it sees it
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

}  // namespace spinetherm
