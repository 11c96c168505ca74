// SPDX-License-Identifier: Apache-2.0
#include "apps/report/figure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace spinetherm {
namespace {

constexpr double kNear_mm = 1.5;  // half the thickness of tissue that a slice stands for

std::string path_data(const std::vector<std::vector<Eigen::Vector2d>>& lines) {
  std::string d;
  for (const auto& line : lines) {
    for (std::size_t n = 0; n < line.size(); ++n)
      d += fmt::format("{}{:.1f} {:.1f}", n == 0 ? "M" : "L", line[n][0], line[n][1]);
    if (line.size() > 2 && (line.front() - line.back()).norm() < 0.01) d += "Z";
  }
  return d;
}

struct NeedlePieces {
  std::string shaft, active, hidden;
};

/// A line in short pieces, so that only the part that lies in the slice is drawn solid; `is_active` of the
/// distance along it.
template <class IsActive>
void add_pieces(const std::vector<Eigen::Vector3d>& line, double diameter_mm, const SlicePlane& plane,
                const IsActive& is_active, NeedlePieces& out) {
  double along = 0;
  for (std::size_t m = 0; m + 1 < line.size(); ++m) {
    const double length = (line[m + 1] - line[m]).norm();
    const int pieces = int(std::ceil(length));  // of about 1 mm
    for (int n = 0; n < pieces; ++n) {
      const double s = double(n) / pieces, e = double(n + 1) / pieces;
      const Eigen::Vector3d a = plane.to_pixel(line[m] + s * (line[m + 1] - line[m])),
                            b = plane.to_pixel(line[m] + e * (line[m + 1] - line[m]));
      const std::string piece = fmt::format("M{:.1f} {:.1f}L{:.1f} {:.1f}", a[0], a[1], b[0], b[1]);
      if (std::abs(a[2]) > kNear_mm + diameter_mm / 2)
        out.hidden += piece;
      else if (is_active(along + (s + e) / 2 * length))
        out.active += piece;
      else
        out.shaft += piece;
    }
    along += length;
  }
}

std::string needle_path(const std::string& pieces, const char* colour, double width, double opacity) {
  return pieces.empty()
             ? ""
             : fmt::format("<path d=\"{}\" stroke=\"{}\" stroke-width=\"{:.1f}\" opacity=\"{:g}\"/>", pieces,
                           colour, width, opacity);
}

std::string draw_needle(const NeedleMark& needle, const SlicePlane& plane) {
  std::vector<Eigen::Vector3d> axis = needle.axis;
  if (axis.empty()) axis = {needle.tip_mm, needle.entry_mm};
  if (!((axis.front() - axis.back()).norm() > 0)) return {};
  NeedlePieces shaft, tines;
  add_pieces(
      axis, needle.diameter_mm, plane,
      [&](double from_tip_mm) {
        return from_tip_mm >= needle.active_from_mm && from_tip_mm <= needle.active_to_mm;
      },
      shaft);
  for (const auto& tine : needle.tines)
    add_pieces(
        tine, needle.tine_diameter_mm, plane, [](double) { return true; }, tines);
  const double width = std::max(2.0, needle.diameter_mm / plane.mm_per_pixel);
  const double thin = std::max(1.4, needle.tine_diameter_mm / plane.mm_per_pixel);
  std::string out;
  if (const std::string hidden = shaft.hidden + tines.hidden; !hidden.empty())
    out += fmt::format(
        "<path d=\"{}\" stroke=\"#9fe8ff\" stroke-width=\"1\" stroke-dasharray=\"1 2\" opacity=\".7\"/>",
        hidden);
  out += needle_path(shaft.shaft, "#9fe8ff", width, 0.85);
  out += needle_path(shaft.active, "#ffffff", width + 0.6, 1);
  out += needle_path(tines.active, "#ffffff", thin, 1);
  return out;
}

std::string outlined_text(double x, double y, const char* anchor, int size, const std::string& text,
                          const char* colour = "#fff") {
  return fmt::format(
      "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\" font-size=\"{}\" fill=\"{}\" stroke=\"#000\" "
      "stroke-width=\"2.5\" paint-order=\"stroke\" font-family=\"sans-serif\">{}</text>",
      x, y, anchor, size, colour, escape_html(text));
}

}  // namespace

std::string escape_html(const std::string& text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string position_text(const Eigen::Vector3d& x) {
  return fmt::format("{} {:.1f} {} {:.1f} {} {:.1f}", x[0] >= 0 ? "L" : "R", std::abs(x[0]),
                     x[1] >= 0 ? "P" : "A", std::abs(x[1]), x[2] >= 0 ? "S" : "I", std::abs(x[2]));
}

std::string svg(const Figure& figure) {
  const SlicePlane& plane = figure.plane;
  const int w = plane.width, h = plane.height;
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" viewBox=\"0 0 "
      "{} {}\" "
      "role=\"img\" aria-label=\"{}\">",
      w, h, escape_html(figure.title));
  out += fmt::format("<rect width=\"{}\" height=\"{}\" fill=\"#101010\"/>", w, h);
  if (figure.scan)
    out += fmt::format("<image width=\"{}\" height=\"{}\" xlink:href=\"data:image/png;base64,{}\"/>", w, h,
                       base64(png_grey(grey_slice(*figure.scan, plane, figure.window), w, h)));
  out += "<g fill=\"none\" stroke-linejoin=\"round\">";
  for (const Outline& o : figure.outlines) {
    if (!o.field || o.field->empty()) continue;
    const std::string d = path_data(contour(*o.field, plane, o.level));
    if (d.empty()) continue;
    out +=
        fmt::format("<path d=\"{}\" stroke=\"{}\" stroke-width=\"{}\"{}><title>{}</title></path>", d,
                    o.colour, o.stroke_px, o.dashed ? " stroke-dasharray=\"5 3\"" : "", escape_html(o.label));
  }
  for (const NeedleMark& needle : figure.needles) out += draw_needle(needle, plane);
  for (const PointMark& mark : figure.points) {
    const Eigen::Vector3d p = plane.to_pixel(mark.at_mm);
    if (std::abs(p[2]) > kNear_mm || p[0] < 0 || p[1] < 0 || p[0] > w || p[1] > h) continue;
    out += fmt::format(
        "<path d=\"M{0:.1f} {1:.1f}m-5 0h10m-5 -5v10\" stroke=\"#ff5\" "
        "stroke-width=\"1.6\"><title>{2}</title></path>",
        p[0], p[1], escape_html(mark.label));
  }
  out += "</g>";
  const auto letters = edge_letters(plane);
  out += outlined_text(6, h / 2.0 + 5, "start", 15, letters[0]);
  out += outlined_text(w - 6, h / 2.0 + 5, "end", 15, letters[1]);
  out += outlined_text(w / 2.0, 17, "middle", 15, letters[2]);
  out += outlined_text(w / 2.0, h - 7, "middle", 15, letters[3]);
  out += outlined_text(6, 16, "start", 12, figure.title);
  if (!figure.mark.empty()) out += outlined_text(w - 6, 16, "end", 12, figure.mark, "#ffb000");
  out += outlined_text(6, h - 7, "start", 10, position_text(plane.centre_mm));
  const double bar = 20 / plane.mm_per_pixel;
  out += fmt::format("<path d=\"M{:.1f} {}h{:.1f}\" stroke=\"#fff\" stroke-width=\"2\"/>", w - 8 - bar, h - 8,
                     bar);
  out += outlined_text(w - 8 - bar / 2, h - 12, "middle", 10, "20 mm");
  return out + "</svg>";
}

std::string legend_html(const std::vector<Outline>& outlines) {
  std::string out = "<div class=\"legend\">";
  for (const Outline& o : outlines)
    out += fmt::format(
        "<span><svg viewBox=\"0 0 24 8\" width=\"24\" height=\"8\"><path d=\"M1 4h22\" stroke=\"{}\" "
        "stroke-width=\"2.4\"{}/></svg>{}</span>",
        o.colour, o.dashed ? " stroke-dasharray=\"5 3\"" : "", escape_html(o.label));
  out +=
      "<span><svg viewBox=\"0 0 24 8\" width=\"24\" height=\"8\"><path d=\"M1 4h22\" stroke=\"#39b6d8\" "
      "stroke-width=\"4\"/></svg>shaft in the slice (dotted: projected)</span>"
      "<span><svg viewBox=\"0 0 24 8\" width=\"24\" height=\"8\"><path d=\"M1 4h22\" stroke=\"#888\" "
      "stroke-width=\"5\"/><path d=\"M2 4h20\" stroke=\"#fff\" stroke-width=\"3.4\"/></svg>active "
      "part</span>";
  return out + "</div>";
}

std::string chart_svg(const std::string& title, const std::string& x_label, const std::string& y_label,
                      const std::vector<CurveLine>& lines,
                      const std::vector<std::pair<double, std::string>>& bands) {
  constexpr double w = 560, h = 260, left = 52, right = 12, top = 26, bottom = 40;
  double x0 = 1e300, x1 = -1e300, y0 = 1e300, y1 = -1e300;
  for (const auto& line : lines)
    for (std::size_t n = 0; n < line.x.size(); ++n) {
      if (!std::isfinite(line.y[n])) continue;
      x0 = std::min(x0, line.x[n]);
      x1 = std::max(x1, line.x[n]);
      y0 = std::min(y0, line.y[n]);
      y1 = std::max(y1, line.y[n]);
    }
  if (!(x1 > x0)) return {};
  for (const auto& [level, label] : bands) {
    y0 = std::min(y0, level);
    y1 = std::max(y1, level);
  }
  const double pad = std::max({1e-9, 1e-3 * std::abs(y1), 0.06 * (y1 - y0)});
  y0 -= pad;
  y1 += pad;
  const auto px = [&](double x) { return left + (x - x0) / (x1 - x0) * (w - left - right); };
  const auto py = [&](double y) { return h - bottom - (y - y0) / (y1 - y0) * (h - top - bottom); };
  const auto nice = [](double span) {  // 1, 2 or 5 times a power of ten, about five ticks
    const double raw = span / 5, power = std::pow(10, std::floor(std::log10(raw)));
    const double f = raw / power;
    return power * (f < 1.5 ? 1 : f < 3.5 ? 2 : f < 7.5 ? 5 : 10);
  };
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\" "
      "font-family=\"sans-serif\" font-size=\"11\"><text x=\"{}\" y=\"16\" font-size=\"13\">{}</text>",
      w, h, escape_html(title), left, escape_html(title));
  const double dx = nice(x1 - x0), dy = nice(y1 - y0);
  for (long tick = std::lround(std::ceil(x0 / dx)); double(tick) * dx <= x1 + 1e-9; ++tick) {
    const double x = double(tick) * dx;
    out += fmt::format(
        "<path d=\"M{0:.1f} {1}V{2}\" stroke=\"#ddd\"/><text x=\"{0:.1f}\" y=\"{3}\" "
        "text-anchor=\"middle\">{4:g}</text>",
        px(x), top, h - bottom, h - bottom + 14, x);
  }
  for (long tick = std::lround(std::ceil(y0 / dy)); double(tick) * dy <= y1 + 1e-9; ++tick) {
    const double y = double(tick) * dy;
    out += fmt::format(
        "<path d=\"M{1} {0:.1f}H{2}\" stroke=\"#ddd\"/><text x=\"{3}\" y=\"{4:.1f}\" "
        "text-anchor=\"end\">{5:g}</text>",
        py(y), left, w - right, left - 5, py(y) + 4, y);
  }
  for (const auto& [level, label] : bands)
    out += fmt::format(
        "<path d=\"M{1} {0:.1f}H{2}\" stroke=\"#b00\" stroke-dasharray=\"5 3\"/><text x=\"{2}\" "
        "y=\"{3:.1f}\" "
        "text-anchor=\"end\" fill=\"#b00\">{4}</text>",
        py(level), left, w - right, py(level) - 3, escape_html(label));
  double key = left + 8;
  for (const auto& line : lines) {
    std::string path;
    bool on = false;
    for (std::size_t n = 0; n < line.x.size(); ++n) {
      const bool known = std::isfinite(line.y[n]);
      if (known) path += fmt::format("{}{:.1f} {:.1f}", on ? 'L' : 'M', px(line.x[n]), py(line.y[n]));
      on = known;
    }
    out +=
        fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.8\"/>", path, line.colour);
    out += fmt::format(
        "<path d=\"M{:.1f} {}h16\" stroke=\"{}\" stroke-width=\"2.4\"/><text x=\"{:.1f}\" y=\"{}\">{}</text>",
        key, h - 6, line.colour, key + 20, h - 2, escape_html(line.label));
    key += 34 + 6.2 * double(line.label.size());
  }
  out += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>", w - right, h - 14,
                     escape_html(x_label));
  out += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>", w - right, 16,
                     escape_html(y_label));
  return out + "</svg>";
}

}  // namespace spinetherm
