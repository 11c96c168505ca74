// SPDX-License-Identifier: Apache-2.0
#include "imaging/archive_reader.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <array>
#include <fstream>
#include <memory>
#include <string_view>

#include "imaging/core/error.h"

namespace spinetherm {
namespace {

[[noreturn]] void fail(archive* handle, const std::string& where) {
  const char* text = archive_error_string(handle);
  throw IoError(fmt::format("archive is damaged, {}", text ? text : "no reason given"), where,
                "fetch it again, or unpack it by hand and name the folder");
}

struct Close {
  void operator()(archive* handle) const { archive_read_free(handle); }
};

}  // namespace

std::size_t ArchiveMember::read(std::vector<char>& to, std::size_t count) {
  const std::size_t before = to.size();
  to.resize(before + count);
  std::size_t got = 0;
  while (got < count) {
    const auto n = archive_read_data(handle_, to.data() + before + got, count - got);
    if (n < 0) fail(handle_, where_ + "/" + name_);
    if (n == 0) break;
    got += std::size_t(n);
  }
  to.resize(before + got);
  return got;
}

bool is_archive(const std::filesystem::path& path) {
  std::error_code ec;
  if (!std::filesystem::is_regular_file(path, ec)) return false;
  std::ifstream in(path, std::ios::binary);
  std::array<char, 265> head{};
  in.read(head.data(), std::streamsize(head.size()));
  const std::string_view bytes(head.data(), std::size_t(in.gcount()));
  if (bytes.starts_with(std::string_view("\xFD"
                                         "7zXZ\0",
                                         6)) ||
      bytes.starts_with("PK\x03\x04"))
    return true;
  if (bytes.size() > 262 && bytes.substr(257, 5) == "ustar") return true;
  const std::string name = path.filename().string();
  return bytes.starts_with("\x1F\x8B") && (name.ends_with(".tar.gz") || name.ends_with(".tgz"));
}

void for_each_archive_member(const std::filesystem::path& path,
                             const std::function<bool(ArchiveMember&)>& visit) {
  const std::unique_ptr<archive, Close> handle(archive_read_new());
  if (!handle) throw std::bad_alloc();
  archive_read_support_filter_gzip(handle.get());
  archive_read_support_filter_xz(handle.get());
  archive_read_support_format_tar(handle.get());
  archive_read_support_format_zip(handle.get());
  constexpr std::size_t block_bytes = 1 << 18;
  if (archive_read_open_filename(handle.get(), path.c_str(), block_bytes) != ARCHIVE_OK)
    fail(handle.get(), path.string());
  while (true) {
    archive_entry* entry = nullptr;
    const int status = archive_read_next_header(handle.get(), &entry);
    if (status == ARCHIVE_EOF) return;
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN) fail(handle.get(), path.string());
    if (archive_entry_filetype(entry) != AE_IFREG) continue;
    const char* name = archive_entry_pathname(entry);
    ArchiveMember member(handle.get(), name ? name : "?", path.string(),
                         std::uint64_t(archive_entry_size(entry)));
    if (!visit(member)) return;
  }
}

}  // namespace spinetherm
