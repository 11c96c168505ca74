// SPDX-License-Identifier: Apache-2.0
#include "imaging/core/json_reader.h"

#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>

#include "imaging/core/error.h"
#include "imaging/core/text.h"

namespace spinetherm {
namespace {

std::string escaped(const std::string& key) {  // RFC 6901
  std::string out;
  for (char c : key) out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return out;
}

double finite_number(const JsonReader& r) {
  if (!r.json().is_number()) r.fail(fmt::format("found a {}", r.json().type_name()), "give a number");
  const double v = r.json().get<double>();
  if (!std::isfinite(v)) r.fail("number is not finite", "give a finite number");
  return v;
}

int whole_number(const JsonReader& r) {
  const double v = finite_number(r);
  if (v != std::floor(v) || std::abs(v) > std::numeric_limits<int>::max())
    r.fail(fmt::format("found {}", v), "give a whole number");
  return int(v);
}

template <std::size_t N>
std::vector<JsonReader> exactly(const JsonReader& r, std::string_view what) {
  if (!r.json().is_array() || r.json().size() != N)
    r.fail(fmt::format("expected {} {}", N, what), fmt::format("give a list of {} {}", N, what));
  return r.elements();
}

}  // namespace

JsonReader::JsonReader(const nlohmann::json& value, std::string pointer)
    : value_(&value), pointer_(std::move(pointer)), known_(std::make_shared<std::set<std::string>>()) {}

bool JsonReader::has(const std::string& key) const {
  known_->insert(key);
  return value_->is_object() && value_->contains(key);
}

JsonReader JsonReader::at(const std::string& key) const {
  if (!value_->is_object()) fail(fmt::format("found a {}", value_->type_name()), "give an object { ... }");
  known_->insert(key);
  const auto it = value_->find(key);
  if (it == value_->end()) {
    // A misspelt key explains a missing one better than "missing" does.
    for (const auto& [present, child] : value_->items())
      if (!known_->count(present) && edit_distance(present, key) <= 2)
        throw ConfigError(fmt::format("unknown key '{}'", present), pointer_ + "/" + escaped(present),
                          fmt::format("did you mean '{}'?", key));
    fail(fmt::format("key '{}' is missing", key), "add it");
  }
  return JsonReader(*it, pointer_ + "/" + escaped(key));
}

std::optional<JsonReader> JsonReader::find(const std::string& key) const {
  if (!value_->is_object()) fail(fmt::format("found a {}", value_->type_name()), "give an object { ... }");
  if (!has(key)) return std::nullopt;
  return at(key);
}

std::vector<JsonReader> JsonReader::elements() const {
  if (!value_->is_array()) fail(fmt::format("found a {}", value_->type_name()), "give a list [ ... ]");
  std::vector<JsonReader> out;
  out.reserve(value_->size());
  for (std::size_t n = 0; n < value_->size(); ++n)
    out.emplace_back((*value_)[n], fmt::format("{}/{}", pointer_, n));
  return out;
}

std::vector<std::pair<std::string, JsonReader>> JsonReader::members() const {
  if (!value_->is_object()) fail(fmt::format("found a {}", value_->type_name()), "give an object { ... }");
  std::vector<std::pair<std::string, JsonReader>> out;
  for (const auto& [key, child] : value_->items()) {
    known_->insert(key);
    out.emplace_back(key, JsonReader(child, pointer_ + "/" + escaped(key)));
  }
  return out;
}

template <>
double JsonReader::as<double>() const {
  return finite_number(*this);
}
template <>
int JsonReader::as<int>() const {
  return whole_number(*this);
}
template <>
bool JsonReader::as<bool>() const {
  if (!value_->is_boolean()) fail(fmt::format("found a {}", value_->type_name()), "give true or false");
  return value_->get<bool>();
}
template <>
std::string JsonReader::as<std::string>() const {
  if (!value_->is_string()) fail(fmt::format("found a {}", value_->type_name()), "give a text in quotes");
  return value_->get<std::string>();
}
template <>
Eigen::Vector3d JsonReader::as<Eigen::Vector3d>() const {
  const auto e = exactly<3>(*this, "numbers");
  return {finite_number(e[0]), finite_number(e[1]), finite_number(e[2])};
}
template <>
std::array<int, 3> JsonReader::as<std::array<int, 3>>() const {
  const auto e = exactly<3>(*this, "whole numbers");
  return {whole_number(e[0]), whole_number(e[1]), whole_number(e[2])};
}
template <>
std::array<double, 2> JsonReader::as<std::array<double, 2>>() const {
  const auto e = exactly<2>(*this, "numbers");
  return {finite_number(e[0]), finite_number(e[1])};
}
template <>
std::vector<double> JsonReader::as<std::vector<double>>() const {
  std::vector<double> out;
  for (const auto& e : elements()) out.push_back(e.as<double>());
  return out;
}
template <>
std::vector<std::string> JsonReader::as<std::vector<std::string>>() const {
  std::vector<std::string> out;
  for (const auto& e : elements()) out.push_back(e.as<std::string>());
  return out;
}
template <>
std::vector<Eigen::Vector3d> JsonReader::as<std::vector<Eigen::Vector3d>>() const {
  std::vector<Eigen::Vector3d> out;
  for (const auto& e : elements()) out.push_back(e.as<Eigen::Vector3d>());
  return out;
}
template <>
std::vector<std::array<double, 2>> JsonReader::as<std::vector<std::array<double, 2>>>() const {
  std::vector<std::array<double, 2>> out;
  for (const auto& e : elements()) out.push_back(e.as<std::array<double, 2>>());
  return out;
}

std::size_t JsonReader::get_word(const std::string& key, const std::vector<std::string>& words) const {
  const JsonReader child = at(key);
  const std::string word = child.as<std::string>();
  for (std::size_t n = 0; n < words.size(); ++n)
    if (words[n] == word) return n;
  std::string list;
  for (const auto& w : words) list += (list.empty() ? "" : ", ") + w;
  child.fail(fmt::format("unknown word '{}'", word),
             fmt::format("did you mean '{}'? known: {}", nearest_word(word, words), list));
}

void JsonReader::finish() const {
  if (!value_->is_object()) return;
  const std::vector<std::string> known(known_->begin(), known_->end());
  for (const auto& [key, child] : value_->items())
    if (!known_->count(key))
      throw ConfigError(
          fmt::format("unknown key '{}'", key), pointer_ + "/" + escaped(key),
          known.empty() ? "remove it" : fmt::format("did you mean '{}'?", nearest_word(key, known)));
}

void JsonReader::fail(std::string what_is_wrong, std::string what_to_do) const {
  throw ConfigError(std::move(what_is_wrong), pointer_.empty() ? "/" : pointer_, std::move(what_to_do));
}

nlohmann::json parse_json_text(std::string_view text, const std::string& name) {
  std::vector<std::set<std::string>> keys;  // of the objects that are open, to refuse a key given twice
  std::string repeated;
  const auto watch = [&](int, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    using Event = nlohmann::json::parse_event_t;
    if (event == Event::object_start) keys.emplace_back();
    if (event == Event::object_end && !keys.empty()) keys.pop_back();
    if (event == Event::key && !keys.empty() && !keys.back().insert(parsed.get<std::string>()).second)
      repeated = parsed.get<std::string>();
    return true;
  };
  try {
    nlohmann::json out = nlohmann::json::parse(text.begin(), text.end(), watch);
    if (!repeated.empty())
      throw ConfigError(fmt::format("key '{}' is given twice", repeated), name, "keep one of them");
    return out;
  } catch (const nlohmann::json::exception& e) {
    std::string what = e.what();
    if (const auto colon = what.find("] "); colon != std::string::npos) what = what.substr(colon + 2);
    throw ConfigError("not valid JSON, " + what, name, "correct the file");
  }
}

nlohmann::json parse_json_file(const std::filesystem::path& path) {
  std::error_code ec;
  if (std::filesystem::is_directory(path, ec))
    throw IoError("is a folder", path.string(), "name the JSON file in it");
  std::ifstream in(path, std::ios::binary);
  if (!in) throw IoError("cannot be opened", path.string(), "check the path");
  std::ostringstream text;
  text << in.rdbuf();
  return parse_json_text(text.str(), path.string());
}

void expect_format(const JsonReader& document, std::string_view kind, int version) {
  const std::string expected = fmt::format("spinetherm.{}", kind);
  const JsonReader format = document.at("format");
  if (format.as<std::string>() != expected)
    format.fail(fmt::format("format is '{}'", format.as<std::string>()),
                fmt::format("a file of format '{}' is needed here", expected));
  const JsonReader v = document.at("version");
  if (v.as<int>() != version)
    v.fail(fmt::format("version {} is not known", v.as<int>()),
           fmt::format("this program reads version {}", version));
}

}  // namespace spinetherm
