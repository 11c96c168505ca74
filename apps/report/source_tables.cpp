// SPDX-License-Identifier: Apache-2.0
#include "apps/report/source_tables.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "apps/report/page.h"
#include "datasets/device_table.h"
#include "datasets/limit_table.h"
#include "imaging/core/tissue_class.h"
#include "thermal/modality.h"

namespace spinetherm {
namespace {

std::string origin(const std::map<std::string, Provenance>& provenance, const std::string& key) {
  const auto it = provenance.find(key);
  if (it == provenance.end()) return "source not given";
  return fmt::format("{} ({})", it->second.source, to_string(it->second.confidence));
}

std::string bound(const std::optional<double>& value, const ExposureLimit& limit) {
  return value ? fmt::format("{} {:g} {}", limit.above ? ">=" : "<", *value, limit.unit) : "-";
}

}  // namespace

std::string energy_title(std::string_view energy) {
  static const std::map<std::string_view, std::string> titles = {{"rfa", "Radiofrequency ablation"},
                                                                 {"mwa", "Microwave ablation"},
                                                                 {"cryo", "Cryoablation"},
                                                                 {"laser", "Laser ablation"}};
  const auto it = titles.find(energy);
  return it == titles.end() ? std::string(energy) : it->second;
}

std::string tissue_section_html(const Job& job) {
  if (job.tissue_map.labels.empty()) return "<p>No tissue map: nothing was simulated.</p>";
  std::map<int, std::size_t> cells;
  for (std::uint8_t label : job.tissue_map.labels.values) ++cells[label];
  const double cell_ml = job.tissue_map.labels.grid.voxel_volume_mm3() / 1000;
  Table table{{"tissue", "volume in the box", "k, W/m/K", "rho c, MJ/m3/K", "perfusion, 1/s", "sigma, S/m",
               "sources"},
              {}};
  for (const auto& [label, count] : cells) {
    const Tissue& t = job.tissue_map.tissues.at(std::size_t(label));
    std::set<std::string> sources;
    for (const char* key : {"conductivity_W_per_m_K", "density_kg_per_m3", "specific_heat_J_per_kg_K",
                            "perfusion_per_s", "electrical_S_per_m"})
      if (t.provenance.count(key)) sources.insert(origin(t.provenance, key));
    std::string all;
    for (const std::string& s : sources) all += (all.empty() ? "" : "; ") + s;
    table.rows.push_back({t.name, fmt::format("{:.1f} ml", double(count) * cell_ml),
                          fmt::format("{:.3g}", t.conductivity_W_per_m_K),
                          fmt::format("{:.3g}", t.density_kg_per_m3 * t.specific_heat_J_per_kg_K * 1e-6),
                          fmt::format("{:.2g}", t.perfusion_per_s),
                          t.electrical_S_per_m ? fmt::format("{:.3g}", *t.electrical_S_per_m) : "-", all});
  }
  return table_html(table) + list_html(job.tissue_report.warnings) +
         "<p class=\"note\">Near 480 kHz. CSF and venous sinks are off: a heat verdict must not rest on "
         "cooling that "
         "nobody measured.</p>";
}

std::string device_section_html(const Job& job) {
  if (!job.plan()) return "<p>No device was placed.</p>";
  std::string html;
  std::set<std::string> shown;
  for (const PlacedDevice& placed : placed_devices(job.plan()->plan, device_table())) {
    const Device& d = placed.device;
    if (!shown.insert(d.name).second) continue;
    Table table{{"what", "value", "source"}, {}};
    table.rows.push_back({"device", d.title, d.name});
    table.rows.push_back(
        {"shaft", fmt::format("{:g} mm", d.shaft_diameter_mm), origin(d.provenance, "shaft_diameter_mm")});
    for (const DevicePole& p : d.poles)
      table.rows.push_back({p.polarity > 0 ? "pole +" : "pole -",
                            fmt::format("{:g} to {:g} mm from the tip, {:g} mm thick", p.from_tip_mm,
                                        p.to_tip_mm, p.diameter_mm),
                            origin(d.provenance, "poles")});
    for (const DeviceSensor& s : d.sensors)
      table.rows.push_back(
          {"sensor " + s.name,
           fmt::format("{:g} mm from the tip, {:g} mm off the axis", s.from_tip_mm, s.off_axis_mm),
           origin(d.provenance, "sensors")});
    if (d.cooled_degC)
      table.rows.push_back({"internal cooling", fmt::format("{:g} degC", *d.cooled_degC),
                            origin(d.provenance, "cooled_degC")});
    if (d.max_power_W)
      table.rows.push_back(
          {"largest power", fmt::format("{:g} W", *d.max_power_W), origin(d.provenance, "max_power_W")});
    if (d.published_zone)
      table.rows.push_back({"published zone",
                            fmt::format("{:g} x {:g} mm in {}", d.published_zone->length_mm,
                                        d.published_zone->diameter_mm, d.published_zone->medium),
                            fmt::format("{} ({})", d.published_zone->provenance.source,
                                        to_string(d.published_zone->provenance.confidence))});
    html += table_html(table);
  }
  return html + "<p class=\"note\">Numbers marked recalled or placeholder are not manufacturer data.</p>";
}

std::string limit_section_html() {
  Table table{{"limit", "structure", "quantity", "caution", "unsafe", "source", "confidence"}, {}};
  for (const ExposureLimit& l : limit_table())
    table.rows.push_back(
        {l.id, l.structure, l.quantity, bound(l.caution, l), bound(l.unsafe, l), l.source, l.confidence});
  return table_html(table);
}

std::string provenance_section_html(const Job& job) {
  std::string argv;
  for (const std::string& a : job.provenance.argv) argv += (argv.empty() ? "" : " ") + a;
  std::vector<std::pair<std::string, std::string>> facts = {
      {"version", job.provenance.version},
      {"command", argv},
      {"seed", std::to_string(job.provenance.seed)},
      {"threads", job.provenance.threads == 0 ? "all" : std::to_string(job.provenance.threads)},
      {"energy", job.options.energy},
      {"thermal grid", fmt::format("{:g} mm, {:g} mm around the active parts", job.options.spacing_mm,
                                   job.options.margin_mm)},
      {"planning CT", job.ct.source},
      {"anatomy", job.anatomy.convention}};
  for (const auto& [path, digest] : job.provenance.inputs_sha256)
    facts.emplace_back("SHA-256 of " + path, digest);
  return facts_html(facts);
}

}  // namespace spinetherm
