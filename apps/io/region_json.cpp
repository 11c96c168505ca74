// SPDX-License-Identifier: Apache-2.0
#include "apps/io/region_json.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "imaging/core/error.h"
#include "imaging/core/text.h"

namespace spinetherm {
namespace {

using Json = nlohmann::ordered_json;
using Eigen::Vector3d;

const std::vector<std::string> kShapes = {"sphere",  "capsule", "cylinder", "tube",
                                          "prolate", "box",     "outside"};

template <class Straight>
Straight read_straight(const JsonReader& r) {
  return {r.get<Vector3d>("a_mm"), r.get<Vector3d>("b_mm"), r.get<double>("radius_mm")};
}

Tube read_tube(const JsonReader& r) {
  Tube t;
  for (const JsonReader& point : r.at("points_mm").elements()) t.points_mm.push_back(point.as<Vector3d>());
  t.radius_mm = r.get<double>("radius_mm");
  if (r.has("ends")) t.flat_ends = r.get_word("ends", {"round", "flat"}) == 1;
  return t;
}

Prolate read_prolate(const JsonReader& r) {
  Prolate p;
  if (r.has("a_mm")) {
    const Vector3d a_mm = r.get<Vector3d>("a_mm"), b_mm = r.get<Vector3d>("b_mm");
    p.centre_mm = (a_mm + b_mm) / 2;
    p.axis = b_mm - a_mm;
    p.long_half_mm = p.axis.norm() / 2;
    if (p.long_half_mm > 0) p.axis.normalize();
    p.short_half_mm = r.get<double>("radius_mm");
    return p;
  }
  p.centre_mm = r.get<Vector3d>("centre_mm");
  p.axis = r.get<Vector3d>("axis");
  p.long_half_mm = r.get<double>("long_half_mm");
  p.short_half_mm = r.get<double>("short_half_mm");
  return p;
}

std::string shape_of(const JsonReader& reader) {
  std::string found;
  for (const auto& [word, child] : reader.members()) {
    bool known = false;
    for (const auto& shape : kShapes) known = known || shape == word;
    if (!known)
      throw ConfigError(fmt::format("unknown region '{}'", word), child.pointer(),
                        fmt::format("did you mean '{}'?", nearest_word(word, kShapes)));
    if (!found.empty()) reader.fail("a region of two shapes", "give one shape");
    found = word;
  }
  if (found.empty()) reader.fail("a region without a shape", R"(give one, {"sphere": {...}})");
  return found;
}

template <class Straight>
Json straight_json(const Straight& t) {
  return {{"a_mm", to_json(t.a_mm)}, {"b_mm", to_json(t.b_mm)}, {"radius_mm", t.radius_mm}};
}

struct ShapeJson {
  Json operator()(const Sphere& s) const {
    return {{"sphere", {{"centre_mm", to_json(s.centre_mm)}, {"radius_mm", s.radius_mm}}}};
  }
  Json operator()(const Capsule& c) const { return {{"capsule", straight_json(c)}}; }
  Json operator()(const Cylinder& c) const { return {{"cylinder", straight_json(c)}}; }
  Json operator()(const Tube& t) const {
    Json points = Json::array();
    for (const Vector3d& x : t.points_mm) points.push_back(to_json(x));
    return {{"tube",
             {{"points_mm", points}, {"radius_mm", t.radius_mm}, {"ends", t.flat_ends ? "flat" : "round"}}}};
  }
  Json operator()(const Prolate& p) const {
    return {{"prolate",
             {{"centre_mm", to_json(p.centre_mm)},
              {"axis", to_json(p.axis)},
              {"long_half_mm", p.long_half_mm},
              {"short_half_mm", p.short_half_mm}}}};
  }
  Json operator()(const Box& b) const {
    return {{"box", {{"min_mm", to_json(b.min_mm)}, {"max_mm", to_json(b.max_mm)}}}};
  }
  Json operator()(const Outside& o) const { return {{"outside", to_json(*o.inside)}}; }
};

}  // namespace

Json to_json(const Vector3d& v) { return Json::array({v.x(), v.y(), v.z()}); }

Region read_region(const JsonReader& reader) {
  const std::string shape = shape_of(reader);
  const JsonReader r = reader.at(shape);
  if (shape == "outside") return {Outside{std::make_shared<const Region>(read_region(r))}};
  Region region;
  if (shape == "sphere") region.shape = Sphere{r.get<Vector3d>("centre_mm"), r.get<double>("radius_mm")};
  if (shape == "capsule") region.shape = read_straight<Capsule>(r);
  if (shape == "cylinder") region.shape = read_straight<Cylinder>(r);
  if (shape == "tube") region.shape = read_tube(r);
  if (shape == "prolate") region.shape = read_prolate(r);
  if (shape == "box") region.shape = Box{r.get<Vector3d>("min_mm"), r.get<Vector3d>("max_mm")};
  r.finish();
  return region;
}

Json to_json(const Region& region) { return std::visit(ShapeJson{}, region.shape); }

std::uint32_t read_seed(const JsonReader& parent) {
  const int seed = parent.get_or<int>("seed", 1);
  if (seed < 0) parent.at("seed").fail(std::to_string(seed), "give 0 or above");
  return std::uint32_t(seed);
}

}  // namespace spinetherm
