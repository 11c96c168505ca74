// SPDX-License-Identifier: Apache-2.0
#include "apps/io/download.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "apps/io/provenance.h"
#include "apps/version.h"
#include "imaging/core/error.h"

namespace spinetherm {
namespace fs = std::filesystem;
namespace {

/// The unfinished file, locked against other programs.
class PartialFile {
 public:
  explicit PartialFile(fs::path path) : path_(std::move(path)) {
    descriptor_ = open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (descriptor_ < 0) fail("check the folder's permissions");
    struct stat mine {
    }, there{};
    if (flock(descriptor_, LOCK_EX | LOCK_NB) != 0 || fstat(descriptor_, &mine) != 0 ||
        stat(path_.c_str(), &there) != 0 || mine.st_ino != there.st_ino) {
      close(descriptor_);
      throw IoError("another program is fetching this file", path_.string(), "wait for it, then try again");
    }
    size_ = mine.st_size;
  }
  ~PartialFile() { close(descriptor_); }
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  const fs::path& path() const { return path_; }
  std::int64_t size() const { return size_; }
  void clear() {
    if (ftruncate(descriptor_, 0) != 0) fail("check the disk");
    size_ = 0;
  }
  void append(const char* bytes, std::size_t count) {
    while (count > 0) {
      const ssize_t n = write(descriptor_, bytes, count);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) fail("is the disk full?");
      bytes += n;
      count -= std::size_t(n);
      size_ += n;
    }
  }

 private:
  [[noreturn]] void fail(const char* what_to_do) const {
    throw IoError(fmt::format("cannot be written: {}", std::strerror(errno)), path_.string(), what_to_do);
  }
  fs::path path_;
  int descriptor_ = -1;
  std::int64_t size_ = 0;
};

/// What libcurl's callbacks need. No exception may pass through C, so the one of a callback waits here.
struct Transfer {
  const DownloadRequest& request;
  PartialFile& file;
  const Progress& progress;
  bool too_long = false;
  std::exception_ptr error = {};
};

std::size_t on_bytes(char* bytes, std::size_t size, std::size_t count, void* user) {
  auto& t = *static_cast<Transfer*>(user);
  count *= size;
  if (t.file.size() + std::int64_t(count) > t.request.bytes) {
    t.too_long = true;
    return CURL_WRITEFUNC_ERROR;
  }
  try {
    t.file.append(bytes, count);
  } catch (...) {
    t.error = std::current_exception();
    return CURL_WRITEFUNC_ERROR;
  }
  return count;
}

int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  auto& t = *static_cast<Transfer*>(user);
  try {
    t.progress(
        double(t.file.size()) / double(t.request.bytes),
        fmt::format("{} ({:.1f} MB)", t.request.target.filename().string(), 1e-6 * double(t.request.bytes)));
  } catch (...) {
    t.error = std::current_exception();
    return 1;
  }
  return t.progress.cancelled() ? 1 : 0;
}

struct Answer {
  CURLcode code = CURLE_OK;
  std::string message;
};

/// Appends what the server has beyond the end of the file.
Answer transfer(Transfer& t) {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(), curl_easy_cleanup);
  if (started != CURLE_OK || !curl) return {CURLE_FAILED_INIT, "libcurl does not start"};
  std::array<char, CURL_ERROR_SIZE> message{};
  const std::string agent = fmt::format("spinetherm/{}", version());
  CURL* c = curl.get();
  curl_easy_setopt(c, CURLOPT_URL, t.request.url.c_str());
  curl_easy_setopt(c, CURLOPT_USERAGENT, agent.c_str());
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https,http,file");
  curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, "https,http");
  curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(c, CURLOPT_MAXREDIRS, 5L);
  curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, 20L);
  curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, 60L);
  curl_easy_setopt(c, CURLOPT_ERRORBUFFER, message.data());
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_bytes);
  curl_easy_setopt(c, CURLOPT_WRITEDATA, &t);
  curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(c, CURLOPT_XFERINFODATA, &t);
  curl_easy_setopt(c, CURLOPT_RESUME_FROM_LARGE, curl_off_t(t.file.size()));
  Answer answer;
  answer.code = curl_easy_perform(c);
  if (t.error) std::rethrow_exception(t.error);
  answer.message = message.front() != '\0' ? message.data() : curl_easy_strerror(answer.code);
  return answer;
}

DownloadEnd end_of(CURLcode code, const Transfer& t) {
  switch (code) {
    case CURLE_OK:
      return DownloadEnd::complete;
    case CURLE_ABORTED_BY_CALLBACK:
      return DownloadEnd::cancelled;
    case CURLE_WRITE_ERROR:
      return t.too_long ? DownloadEnd::damaged : DownloadEnd::no_network;
    case CURLE_HTTP_RETURNED_ERROR:
    case CURLE_REMOTE_FILE_NOT_FOUND:
    case CURLE_FILE_COULDNT_READ_FILE:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_TOO_MANY_REDIRECTS:
      return DownloadEnd::refused;
    default:
      return DownloadEnd::no_network;
  }
}

void move_aside(const fs::path& file, const fs::path& target) { fs::rename(file, target.string() + ".bad"); }

/// One try. Whatever is found wrong lies at `<target>.bad` afterwards.
DownloadSummary attempt(const DownloadRequest& request, PartialFile& file, const Progress& progress) {
  DownloadSummary out;
  if (file.size() > request.bytes) file.clear();
  out.bytes_before = file.size();
  Transfer t{request, file, progress};
  Answer answer;
  if (file.size() < request.bytes) {
    answer = transfer(t);
    if (out.bytes_before > 0 &&
        (answer.code == CURLE_RANGE_ERROR || answer.code == CURLE_BAD_DOWNLOAD_RESUME)) {
      file.clear();  // a server that gives only whole files
      out.bytes_before = 0;
      answer = transfer(t);
    }
  }
  out.bytes_fetched = file.size() - out.bytes_before;
  out.end = end_of(answer.code, t);
  out.message = answer.message;
  if (t.too_long)
    out.message = fmt::format("there is more of it than the {} bytes that belong to it", request.bytes);
  if (out.end == DownloadEnd::cancelled) out.message = "cancelled";
  if (out.end == DownloadEnd::complete && file.size() != request.bytes) {
    out.end = DownloadEnd::damaged;
    out.message = fmt::format("it has {} bytes instead of {}", file.size(), request.bytes);
  }
  if (out.end == DownloadEnd::complete) {
    const std::string sha256 = sha256_of(file.path());
    out.message = "complete";
    if (sha256 != request.sha256) {
      out.end = DownloadEnd::damaged;
      out.message = fmt::format("its SHA-256 is {} instead of {}", sha256, request.sha256);
    }
  }
  return out;
}

}  // namespace

fs::path partial_path(const fs::path& target) { return target.string() + ".part"; }

DownloadSummary download(const DownloadRequest& request, const Progress& progress) try {
  if (request.target.has_parent_path()) fs::create_directories(request.target.parent_path());
  PartialFile file(partial_path(request.target));
  DownloadSummary out = attempt(request, file, progress);
  if (out.end == DownloadEnd::damaged && out.bytes_before > 0) {
    file.clear();  // the beginning may have been of another file
    out = attempt(request, file, progress);
  }
  if (out.end == DownloadEnd::damaged) move_aside(file.path(), request.target);
  if (out.end == DownloadEnd::complete) {
    if (fs::exists(request.target) && sha256_of(request.target) != request.sha256)
      move_aside(request.target, request.target);
    fs::rename(file.path(), request.target);
  } else if (file.size() == 0) {
    fs::remove(file.path());
  }
  return out;
} catch (const fs::filesystem_error& e) {
  throw IoError(fmt::format("cannot be written: {}", e.code().message()), e.path1().string(),
                "check the folder's permissions");
}

}  // namespace spinetherm
