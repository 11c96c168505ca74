// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace spinetherm {

/// A small HTTP server on this machine that gives one file at every path.
class FileServer {
 public:
  struct Behaviour {
    std::string content = {};
    bool ranges = true;                               ///< false: always the whole file, with status 200
    std::size_t break_off_after = std::string::npos;  ///< bytes of the body, then the connection ends
    int status = 0;                                   ///< other than 0: no file, this status
    std::string redirect_to = {};
    std::size_t stall_after = std::string::npos;  ///< bytes of the body, then nothing until the client leaves
  };
  explicit FileServer(Behaviour behaviour);
  ~FileServer();
  FileServer(const FileServer&) = delete;
  FileServer& operator=(const FileServer&) = delete;

  /// "http://127.0.0.1:43210/".
  std::string address() const;
  /// The requested paths, each followed by the range that was asked for: "/ct/a.nii.gz bytes=100-".
  std::vector<std::string> requests() const;
  /// Bytes of bodies that were sent.
  std::size_t sent() const { return sent_; }

 private:
  void serve();
  void answer(int client);
  void send_body(int client, const std::string& body);
  Behaviour behaviour_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stop_ = false;
  std::atomic<std::size_t> sent_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

/// An address of this machine where nobody answers.
std::string dead_address();

}  // namespace spinetherm
