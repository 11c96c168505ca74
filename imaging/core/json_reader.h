// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Dense>
#include <array>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace spinetherm {

/// Strict reader of one JSON value. It knows its JSON pointer, so that every message says where:
///   unknown key 'duratoin_s' (problem.json: /duratoin_s): did you mean 'duration_s'?
/// Every key that is asked for counts as known; finish() refuses all others. Numbers must be finite.
/// Holds a pointer into the document, which must outlive the reader.
class JsonReader {
 public:
  explicit JsonReader(const nlohmann::json& value, std::string pointer = "");

  const std::string& pointer() const { return pointer_; }
  const nlohmann::json& json() const { return *value_; }

  /// Whether the object has the key; marks the key as known.
  bool has(const std::string& key) const;
  /// The child; ConfigError when the key is missing or this is not an object.
  JsonReader at(const std::string& key) const;
  std::optional<JsonReader> find(const std::string& key) const;
  /// The elements of an array; ConfigError when this is not one.
  std::vector<JsonReader> elements() const;
  /// The keys and children of an object whose keys are free (a table by name); all count as known.
  std::vector<std::pair<std::string, JsonReader>> members() const;

  /// double, int, bool, std::string, Eigen::Vector3d, std::array<int, 3>, std::array<double, 2>,
  /// std::vector<double | std::string | Eigen::Vector3d | std::array<double, 2>>.
  template <class T>
  T as() const;
  template <class T>
  T get(const std::string& key) const {
    return at(key).as<T>();
  }
  template <class T>
  T get_or(const std::string& key, T fallback) const {
    const auto child = find(key);
    return child ? child->as<T>() : fallback;
  }
  template <class T>
  std::optional<T> get_optional(const std::string& key) const {
    const auto child = find(key);
    return child ? std::optional<T>(child->as<T>()) : std::nullopt;
  }
  /// One of a list of words, as its position in the list.
  std::size_t get_word(const std::string& key, const std::vector<std::string>& words) const;

  /// ConfigError when the object holds a key that was never asked for.
  void finish() const;
  /// Throws ConfigError at this pointer.
  [[noreturn]] void fail(std::string what_is_wrong, std::string what_to_do) const;

 private:
  const nlohmann::json* value_;
  std::string pointer_;
  std::shared_ptr<std::set<std::string>> known_;
};

/// Parses a document. IoError when the file cannot be read, ConfigError (with line and column) when it is
/// not JSON or an object repeats a key. `name` is only used in messages.
nlohmann::json parse_json_file(const std::filesystem::path& path);
nlohmann::json parse_json_text(std::string_view text, const std::string& name);

/// Checks `"format": "spinetherm.<kind>", "version": 1` at the head of a document.
void expect_format(const JsonReader& document, std::string_view kind, int version = 1);

}  // namespace spinetherm
