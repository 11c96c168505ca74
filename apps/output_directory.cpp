// SPDX-License-Identifier: Apache-2.0
#include "apps/output_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cctype>
#include <fstream>
#include <system_error>

#include "apps/version.h"
#include "imaging/core/error.h"

namespace spinetherm {
namespace fs = std::filesystem;
namespace {

constexpr const char* kMarker = ".spinetherm";
constexpr int kMostNumbers = 100000;

std::string file_word(const std::string& text) {
  std::string word;
  for (const char c : text) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
    word += plain ? c : '_';
  }
  while (!word.empty() && word.front() == '.') word.erase(0, 1);
  return word;
}

fs::path with_suffix(const fs::path& path, const char* suffix) {
  fs::path result = path;
  result += suffix;
  return result;
}

/// Exclusive: false when something of that name exists, so that two programs never share a directory.
bool make_directory(const fs::path& path) {
  std::error_code error;
  if (fs::create_directory(path, error)) return true;
  if (error) throw IoError("cannot make the directory", path.string(), error.message());
  return false;
}

bool holds_only_checkpoints(const fs::path& directory) {
  for (const fs::directory_entry& entry : fs::directory_iterator(directory))
    if (entry.path().filename() != kCheckpointFolder) return false;
  return fs::exists(directory / kCheckpointFolder);
}
bool replaceable_as_a_whole(const fs::path& directory) {
  return fs::is_empty(directory) || fs::exists(directory / kMarker) || holds_only_checkpoints(directory);
}

/// Locks a directory; released when the process ends, however it does. -1: another process holds it.
int lock(const fs::path& directory) {
  const int file = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file >= 0 && flock(file, LOCK_EX | LOCK_NB) == 0) return file;
  if (file >= 0) close(file);
  return -1;
}

}  // namespace

OutputDirectory::OutputDirectory(const OutputOptions& options) : force_(options.force) {
  try {
    if (options.given)
      claim_given(options);
    else
      claim_next_number(options);
  } catch (const fs::filesystem_error& e) {
    remove_created();
    throw IoError("cannot make the output directory", e.path1().string(), e.code().message());
  } catch (...) {
    remove_created();
    throw;
  }
}

void OutputDirectory::make_parents(const fs::path& parent) {
  for (fs::path p = parent; !p.empty() && !fs::exists(p); p = p.parent_path()) first_created_parent_ = p;
  if (!parent.empty()) fs::create_directories(parent);
}

void OutputDirectory::claim_given(const OutputOptions& options) {
  final_ = fs::absolute(*options.given).lexically_normal();
  if (!final_.has_filename()) final_ = final_.parent_path();
  if (fs::exists(fs::symlink_status(final_))) {
    if (!fs::is_directory(final_)) throw IoError("not a directory", final_.string(), "give another --out");
    const bool stopped = holds_only_checkpoints(final_);
    if (stopped && !force_ && !options.resume)
      throw IoError("a run that was stopped has left its checkpoint", final_.string(),
                    "go on with --resume, or begin anew with --force or another --out");
    if (!stopped && !force_)
      throw IoError("the output directory exists", final_.string(),
                    "give another --out, or --force to replace it");
  }
  make_parents(final_.parent_path());
  const fs::path partial = with_suffix(final_, ".partial");
  if (!make_directory(partial)) {
    const int nobody = options.resume ? lock(partial) : -1;
    if (nobody >= 0) close(nobody);
    if (!force_ && nobody < 0)
      throw IoError("another run writes there, or was killed while it did", partial.string(),
                    "remove it, or give --force or another --out");
    fs::remove_all(partial);
    if (!make_directory(partial))
      throw IoError("another run writes there", partial.string(), "give another --out");
  }
  working_ = partial;
  lock_ = lock(partial);
}

void OutputDirectory::claim_next_number(const OutputOptions& options) {
  const fs::path parent = fs::absolute("out").lexically_normal();
  const std::string name = file_word(options.name);
  const std::string stem = name.empty() ? options.command : options.command + "-" + name;
  make_parents(parent);
  for (int n = 1; n < kMostNumbers; ++n) {
    const fs::path candidate = parent / fmt::format("{}-{:03}", stem, n);
    const fs::path partial = with_suffix(candidate, ".partial");
    if (fs::exists(fs::symlink_status(candidate)) || !make_directory(partial)) continue;
    if (fs::exists(fs::symlink_status(candidate))) {  // finished by another program in between
      fs::remove(partial);
      continue;
    }
    final_ = candidate;
    working_ = partial;
    return;
  }
  throw IoError("no free number for the output directory", (parent / stem).string(), "give --out DIR");
}

void OutputDirectory::commit() {
  try {
    std::ofstream marker(working_ / kMarker);
    marker << "spinetherm " << version() << '\n';
    marker.close();
    if (!marker) throw IoError("cannot write", (working_ / kMarker).string(), "is the disk full?");

    if (!fs::exists(final_)) {
      fs::rename(working_, final_);
    } else if (!force_ && !holds_only_checkpoints(final_)) {
      throw IoError("the output directory appeared meanwhile", final_.string(), "give another --out");
    } else if (replaceable_as_a_whole(final_)) {
      const fs::path old = with_suffix(final_, ".replaced");
      fs::remove_all(old);
      fs::rename(final_, old);
      fs::rename(working_, final_);
      fs::remove_all(old);
    } else {
      fs::remove(working_ / kMarker);
      for (const fs::directory_entry& entry : fs::directory_iterator(working_)) {
        const fs::path target = final_ / entry.path().filename();
        fs::remove_all(target);
        fs::rename(entry.path(), target);
      }
      fs::remove(working_);
    }
    committed_ = true;
  } catch (const fs::filesystem_error& e) {
    throw IoError("cannot move the results into place", e.path1().string(), e.code().message());
  }
}

void OutputDirectory::remove_created() noexcept {
  std::error_code ignored;  // nothing more can be done about a directory that does not go away
  if (!working_.empty()) fs::remove_all(working_, ignored);
  if (first_created_parent_.empty()) return;
  for (fs::path p = final_.empty() ? first_created_parent_ : final_.parent_path();; p = p.parent_path()) {
    if (!fs::remove(p, ignored) || p == first_created_parent_)
      return;  // remove() leaves one that is not empty
  }
}

OutputDirectory::~OutputDirectory() {
  if (!committed_) remove_created();
  if (lock_ >= 0) close(lock_);
}

void require_free_file(const fs::path& file, bool force) {
  std::error_code error;
  if (fs::is_directory(file, error))
    throw IoError("is a directory", file.string(), "give the name of a file");
  if (fs::exists(file, error) && !force)
    throw IoError("the output file exists", file.string(), "give another name, or --force to replace it");
  const fs::path folder = fs::absolute(file).parent_path();
  if (!fs::is_directory(folder, error))
    throw IoError("no such folder", folder.string(), "make it first, or give another name");
}

}  // namespace spinetherm
