// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "imaging/core/progress.h"

namespace spinetherm {

/// A file that is known before it is fetched.
struct DownloadRequest {
  std::string url;               ///< https, http or file
  std::filesystem::path target;  ///< where it goes; missing folders are made
  std::int64_t bytes = 0;
  std::string sha256;
};

enum class DownloadEnd {
  not_run,
  complete,
  no_network,  ///< no answer, or a connection that broke off; what has come is kept for the next try
  refused,     ///< the server has no such file, or cannot be trusted
  damaged,     ///< what came is not the file that was asked for
  cancelled,   ///< what has come is kept for the next try
};
struct DownloadSummary {
  DownloadEnd end = DownloadEnd::not_run;
  std::string message = "download() was not called";
  std::int64_t bytes_before = 0;   ///< that an earlier try had left, and that were kept
  std::int64_t bytes_fetched = 0;  ///< by this one
  bool usable() const { return end == DownloadEnd::complete; }
};

/// Fetches a file to `<target>.part`, going on where an earlier try has stopped when the server can do that,
/// and names it `target` only when its size and SHA-256 are those of the request. Anything else of that size
/// is kept aside as `<target>.bad`, and so is a damaged file that lay at `target`. A continued file that
/// turns out wrong is fetched once more from its beginning. IoError when the disk cannot be written, or while
/// another program fetches the same file.
DownloadSummary download(const DownloadRequest& request, const Progress& progress = {});

/// Where a download lies until it is complete.
std::filesystem::path partial_path(const std::filesystem::path& target);

}  // namespace spinetherm
