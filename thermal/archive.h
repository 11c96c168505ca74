// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "imaging/core/error.h"
#include "imaging/core/volume.h"

namespace spinetherm {

/// A checkpoint that cannot be resumed from.
class CheckpointError : public Error {
 public:
  using Error::Error;
};

/// Writes values into a buffer or a sink, or reads them back from a buffer. Who holds state lists its members
/// once,
///   void Clock::exchange_state(Archive& archive) { archive(t_s_, ticks_); }
/// as a member or as a free function exchange_state(Archive&, Clock&), so that what is saved and what is
/// loaded cannot drift apart. Values keep their bits; a buffer is read where it was written, by the same
/// program.
///
/// Of arrays, equal values in line (cells at rest) take the room of one.
class Archive {
 public:
  /// Takes what is written, in blocks of kBlock bytes; the last one may be shorter.
  using Sink = std::function<void(std::span<const std::byte>)>;
  static constexpr std::size_t kBlock = std::size_t(1) << 20;

  Archive() = default;  ///< writes into a buffer
  /// Writes to the sink; finish() when all is written.
  explicit Archive(Sink to) : sink_(std::move(to)) { to_.reserve(kBlock); }
  /// Reads; `from` must outlive the archive.
  explicit Archive(std::span<const std::byte> from) : from_(from), reading_(true) {}

  bool reading() const { return reading_; }
  /// In the order of the arguments. Reading beyond the end throws CheckpointError.
  template <class... T>
  void operator()(T&... values) {
    (one(values), ...);
  }
  /// Of an archive without sink: what has been written.
  const std::vector<std::byte>& written() const { return to_; }
  /// The last block to the sink.
  void finish();
  std::size_t left() const { return from_.size(); }  ///< bytes that have not been read

 private:
  template <class T>
  void one(T& value) {
    if constexpr (requires { value.exchange_state(*this); }) {
      value.exchange_state(*this);
    } else if constexpr (requires { exchange_state(*this, value); }) {
      exchange_state(*this, value);
    } else if constexpr (requires { list(value); }) {
      list(value);
    } else {
      static_assert(std::is_trivially_copyable_v<T> && !std::is_pointer_v<T>,
                    "write an exchange_state() that lists its members");
      bytes(&value, sizeof value);
    }
  }

  void list(std::string& text) {
    const std::size_t count = size(text.size(), 1);
    if (reading_) text.resize(count);
    bytes(text.data(), count);
  }
  void list(std::vector<bool>& flags) {
    std::vector<std::uint8_t> copy(flags.begin(), flags.end());
    list(copy);
    if (reading_) flags.assign(copy.begin(), copy.end());
  }
  template <class T>
  void list(std::vector<T>& values) {
    if constexpr (std::is_trivially_copyable_v<T>) {
      runs(values);
    } else {
      const std::size_t count = size(values.size(), 1);
      if (reading_) values.resize(count);
      for (T& v : values) one(v);
    }
  }
  template <class T, std::size_t N>
  requires(!std::is_trivially_copyable_v<T>) void list(std::array<T, N>& values) {
    for (T& v : values) one(v);
  }
  template <class T>
  void list(std::optional<T>& value) {
    bool there = value.has_value();
    one(there);
    if (reading_) there ? void(value.emplace()) : value.reset();
    if (there) one(*value);
  }
  template <class Key, class T>
  void list(std::map<Key, T>& values) {
    std::size_t count = size(values.size(), 1);
    if (!reading_) {
      for (auto& [key, value] : values) {
        Key copy = key;
        one(copy);
        one(value);
      }
      return;
    }
    for (values.clear(); count > 0; --count) {
      Key key{};
      one(key);
      one(values[key]);
    }
  }
  template <class Scalar, int Rows, int Columns>
  void list(Eigen::Matrix<Scalar, Rows, Columns>& m) {
    Eigen::Index rows = m.rows(), columns = m.cols();
    one(rows);
    one(columns);
    if (reading_ && (rows != m.rows() || columns != m.cols())) {
      require_left(std::size_t(rows) * std::size_t(columns), sizeof(Scalar));
      m.resize(rows, columns);
    }
    bytes(m.data(), std::size_t(m.size()) * sizeof(Scalar));
  }
  template <class T>
  void list(Volume<T>& volume) {
    Grid& g = volume.grid;
    (*this)(g.size, g.spacing_mm, g.origin_mm, g.direction, volume.values);
  }

  /// count, then blocks: twice its length, plus 1 where one value stands for all of it; its values.
  template <class T>
  void runs(std::vector<T>& values) {
    constexpr std::size_t kShortest = 8;
    std::size_t count = values.size();
    one(count);
    if (reading_) {
      std::vector<T> read;
      while (read.size() < count) {
        std::uint64_t head = 0;
        one(head);
        const std::size_t length = std::size_t(head >> 1), before = read.size();
        if (length == 0 || length > count - before) throw_short();
        if ((head & 1) != 0) {
          T value{};
          bytes(&value, sizeof value);
          read.resize(before + length, value);
        } else {
          require_left(length, sizeof(T));
          read.resize(before + length);
          bytes(read.data() + before, length * sizeof(T));
        }
        if (before == 0) read.reserve(count);
      }
      values = std::move(read);
      return;
    }
    const auto same = [&](std::size_t a, std::size_t b) {
      // By their bytes: what is not a number is kept as it is, too.
      const std::byte* raw = std::as_bytes(std::span<const T>(values)).data();
      return std::memcmp(raw + a * sizeof(T), raw + b * sizeof(T), sizeof(T)) == 0;
    };
    const auto block = [&](std::size_t begin, std::size_t end, bool repeated) {
      if (begin == end) return;
      std::uint64_t head = 2 * (end - begin) + (repeated ? 1 : 0);
      one(head);
      bytes(values.data() + begin, (repeated ? 1 : end - begin) * sizeof(T));
    };
    std::size_t begin = 0;  // of what is not written yet
    for (std::size_t n = 0; n < count;) {
      std::size_t end = n + 1;
      while (end < count && same(n, end)) ++end;
      if (end - n >= kShortest) {
        block(begin, n, false);
        block(n, end, true);
        begin = end;
      }
      n = end;
    }
    block(begin, count, false);
  }

  std::size_t size(std::size_t count, std::size_t least_bytes) {
    one(count);
    if (reading_) require_left(count, least_bytes);
    return count;
  }
  void bytes(void* values, std::size_t count);
  void require_left(std::size_t count, std::size_t each) const {
    if (count > from_.size() / each) throw_short();
  }
  [[noreturn]] static void throw_short();

  Sink sink_;
  std::vector<std::byte> to_;  ///< with a sink: the present block
  std::span<const std::byte> from_;
  bool reading_ = false;
};

}  // namespace spinetherm
