// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/report/picture.h"

namespace spinetherm {

/// An outline over a picture: where `field` takes the value `level`.
struct Outline {
  std::string label;                     ///< of the legend: "50 degC", "cord"
  std::string colour;                    ///< CSS
  const Volume<float>* field = nullptr;  ///< must outlive the drawing
  double level = 0.5;
  bool dashed = false;
  double stroke_px = 1.6;
};

/// A needle; the part within `near_mm` of the plane is drawn solid, the rest is projected and dotted.
struct NeedleMark {
  Eigen::Vector3d entry_mm{0, 0, 0}, tip_mm{0, 0, 0};
  double active_from_mm = 0, active_to_mm = 0;  ///< from the tip backwards
  double diameter_mm = 1.5;
  std::vector<Eigen::Vector3d> axis = {};  ///< from the tip to the entry where it bends; empty: straight
  std::vector<std::vector<Eigen::Vector3d>> tines = {};  ///< active all along
  double tine_diameter_mm = 0;
};

struct PointMark {
  std::string label;
  Eigen::Vector3d at_mm{0, 0, 0};
};

/// One picture of the report: a slice with outlines, needles, side letters, scale bar and position.
struct Figure {
  std::string title;
  SlicePlane plane;
  const Volume<float>* scan = nullptr;
  Window window = kSpineWindow;
  std::vector<Outline> outlines;
  std::vector<NeedleMark> needles;
  std::vector<PointMark> points;
  std::string mark = {};  ///< in the upper right corner, which letters and scale leave free: "SYNTHETIC"
};

/// The figure as an SVG element that holds everything it shows (the slice as embedded PNG).
std::string svg(const Figure& figure);
/// The outlines of a figure as HTML legend.
std::string legend_html(const std::vector<Outline>& outlines);

/// Text for HTML and SVG: & < > " escaped.
std::string escape_html(const std::string& text);
/// "L 12.3 P 45.6 S -7.8" without signs: each coordinate with the letter of its side.
std::string position_text(const Eigen::Vector3d& x_mm);

struct CurveLine {
  std::string label, colour;
  std::vector<double> x, y;
};
/// A small line chart as SVG; `bands` are horizontal lines with a label ("45 degC unsafe"). A line is broken
/// where its values are not finite, as the resistance of a pole that is idle; without any finite one: empty.
std::string chart_svg(const std::string& title, const std::string& x_label, const std::string& y_label,
                      const std::vector<CurveLine>& lines,
                      const std::vector<std::pair<double, std::string>>& bands = {});

}  // namespace spinetherm
