// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <string>
#include <string_view>

namespace spinetherm {

/// Bad input or a broken file. Reads as one line:  <what> (<where>): <what to do>
/// Expected outcomes (not converged, cancelled, unsafe, unknown) are values, never exceptions.
class Error : public std::exception {
 public:
  Error(std::string what_is_wrong, std::string where, std::string what_to_do);

  /// Puts an outer context before `where`: "case.json: /target/radii_mm". Use as
  ///   catch (Error& e) { e.within(path.string()); throw; }
  Error& within(std::string_view context);

  const char* what() const noexcept override { return line_.c_str(); }
  const std::string& what_is_wrong() const { return what_is_wrong_; }
  const std::string& where() const { return where_; }
  const std::string& what_to_do() const { return what_to_do_; }

 private:
  void compose();
  std::string what_is_wrong_, where_, what_to_do_, line_;
};

/// A setting, option or JSON document that cannot be meant.
class ConfigError : public Error {
 public:
  using Error::Error;
};

/// A file that is missing, broken, or of a kind that is refused.
class IoError : public Error {
 public:
  using Error::Error;
};

/// Throws ConfigError "name = value: rule" unless `holds`; used by validate() of the options structs.
void require(bool holds, std::string_view name, double value, std::string_view rule);

}  // namespace spinetherm
