// SPDX-License-Identifier: Apache-2.0
#include "tests/cli/file_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

namespace spinetherm {
namespace {

/// A listening socket of 127.0.0.1 and its port.
std::pair<int, int> listen_somewhere() {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (listener < 0 || bind(listener, generic, size) != 0 || listen(listener, 8) != 0 ||
      getsockname(listener, generic, &size) != 0)
    throw std::runtime_error("no socket to listen on");
  return {listener, ntohs(address.sin_port)};
}

bool readable(int descriptor, int milliseconds) {
  pollfd one{descriptor, POLLIN, 0};
  return poll(&one, 1, milliseconds) > 0;
}

std::string header_of(const std::string& request, const std::string& name) {
  const std::size_t at = request.find("\r\n" + name + ": ");
  if (at == std::string::npos) return "";
  const std::size_t begin = at + name.size() + 4;
  return request.substr(begin, request.find("\r\n", begin) - begin);
}

}  // namespace

FileServer::FileServer(Behaviour behaviour) : behaviour_(std::move(behaviour)) {
  std::tie(listener_, port_) = listen_somewhere();
  thread_ = std::thread([this] { serve(); });
}

FileServer::~FileServer() {
  stop_ = true;
  thread_.join();
  close(listener_);
}

std::string FileServer::address() const { return "http://127.0.0.1:" + std::to_string(port_) + "/"; }

std::vector<std::string> FileServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void FileServer::serve() {
  while (!stop_) {
    if (!readable(listener_, 20)) continue;
    const int client = accept(listener_, nullptr, nullptr);
    if (client < 0) continue;
    answer(client);
    close(client);
  }
}

void FileServer::send_body(int client, const std::string& body) {
  const std::size_t end = std::min({body.size(), behaviour_.break_off_after, behaviour_.stall_after});
  for (std::size_t at = 0; at < end;) {
    const ssize_t n = send(client, body.data() + at, std::min<std::size_t>(end - at, 4096), MSG_NOSIGNAL);
    if (n <= 0) return;
    at += std::size_t(n);
    sent_ += std::size_t(n);
  }
  if (behaviour_.stall_after < body.size())
    while (!stop_ && !readable(client, 20)) continue;
}

void FileServer::answer(int client) {
  std::string request;
  while (!stop_ && request.find("\r\n\r\n") == std::string::npos) {
    if (!readable(client, 20)) continue;
    char block[1024];
    const ssize_t n = recv(client, block, sizeof block, 0);
    if (n <= 0) return;
    request.append(block, std::size_t(n));
  }
  const std::size_t path = request.find(' ') + 1;
  const std::string range = header_of(request, "Range");
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request.substr(path, request.find(' ', path) - path) +
                        (range.empty() ? "" : " " + range));
  }
  const std::string& content = behaviour_.content;
  std::string head, body;
  if (!behaviour_.redirect_to.empty()) {
    head = "HTTP/1.1 302 Found\r\nLocation: " + behaviour_.redirect_to;
  } else if (behaviour_.status != 0) {
    head = "HTTP/1.1 " + std::to_string(behaviour_.status) + " No";
    body = "<html>no</html>";
  } else if (behaviour_.ranges && range.starts_with("bytes=")) {
    const std::size_t begin = std::stoul(range.substr(6));
    if (begin >= content.size()) {
      head = "HTTP/1.1 416 Range Not Satisfiable";
    } else {
      body = content.substr(begin);
      head = "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes " + std::to_string(begin) + "-" +
             std::to_string(content.size() - 1) + "/" + std::to_string(content.size());
    }
  } else {
    head = "HTTP/1.1 200 OK";
    body = content;
  }
  head += "\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n";
  if (send(client, head.data(), head.size(), MSG_NOSIGNAL) > 0) send_body(client, body);
}

std::string dead_address() {
  const auto [listener, port] = listen_somewhere();
  close(listener);
  return "http://127.0.0.1:" + std::to_string(port) + "/";
}

}  // namespace spinetherm
