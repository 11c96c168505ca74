// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

struct archive;

namespace spinetherm {

/// One regular file of an archive, while the archive is being passed through.
class ArchiveMember {
 public:
  ArchiveMember(archive* handle, std::string name, std::string where, std::uint64_t size)
      : handle_(handle), name_(std::move(name)), where_(std::move(where)), size_(size) {}

  const std::string& name() const { return name_; }
  /// Bytes that it unpacks to, as the archive declares.
  std::uint64_t size() const { return size_; }
  /// Appends up to `count` further bytes to `to`; returns how many there were, 0 at the member's end.
  /// IoError when the archive is damaged.
  std::size_t read(std::vector<char>& to, std::size_t count);

 private:
  archive* handle_;
  std::string name_, where_;
  std::uint64_t size_;
};

/// True for a file that begins as xz, zip or tar, and for a gzip file whose name ends in .tar.gz or .tgz
/// (a .nii.gz is an image). False when the file cannot be opened.
bool is_archive(const std::filesystem::path& path);

/// Passes through a .tar.xz, .tar.gz, .tar or .zip once and hands over each regular file; what `visit` does
/// not read is skipped. `visit` returns false to stop early. Nothing is written to disk. IoError when the
/// archive is missing or damaged.
void for_each_archive_member(const std::filesystem::path& path,
                             const std::function<bool(ArchiveMember&)>& visit);

}  // namespace spinetherm
