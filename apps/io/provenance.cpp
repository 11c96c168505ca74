// SPDX-License-Identifier: Apache-2.0
#include "apps/io/provenance.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "imaging/core/error.h"

namespace spinetherm {
namespace {

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr);
  }
  void add(const void* bytes, std::size_t count) { EVP_DigestUpdate(context_.get(), bytes, count); }
  std::string hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    EVP_DigestFinal_ex(context_.get(), digest.data(), &length);
    std::string out;
    for (unsigned n = 0; n < length; ++n) out += fmt::format("{:02x}", digest[n]);
    return out;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

std::string sha256_of_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw IoError("cannot be opened", path.string(), "check the path");
  Sha256 sha;
  std::vector<char> block(1 << 20);
  while (in) {
    in.read(block.data(), std::streamsize(block.size()));
    sha.add(block.data(), std::size_t(in.gcount()));
  }
  return sha.hex();
}

}  // namespace

std::string sha256_of(const std::filesystem::path& path) {
  if (!std::filesystem::is_directory(path)) return sha256_of_file(path);
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path))
    if (entry.is_regular_file()) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  Sha256 sha;
  for (const auto& file : files) {
    const std::string line =
        fmt::format("{} {}\n", sha256_of_file(file), file.lexically_relative(path).string());
    sha.add(line.data(), line.size());
  }
  return sha.hex();
}

nlohmann::ordered_json to_json(const RunProvenance& p) {
  return {{"version", p.version},
          {"argv", p.argv},
          {"seed", p.seed},
          {"threads", p.threads},
          {"inputs_sha256", nlohmann::ordered_json(p.inputs_sha256)}};
}

}  // namespace spinetherm
