// SPDX-License-Identifier: Apache-2.0
#include "imaging/label_conventions.h"

#include <algorithm>
#include <array>

#include "imaging/core/error.h"
#include "imaging/core/text.h"

namespace spinetherm {
namespace {

// Class names in the order of their values, which begin at 1.
constexpr std::array<std::string_view, 117> kTotalSegmentatorV2 = {
    "spleen",
    "kidney_right",
    "kidney_left",
    "gallbladder",
    "liver",
    "stomach",
    "pancreas",
    "adrenal_gland_right",
    "adrenal_gland_left",
    "lung_upper_lobe_left",
    "lung_lower_lobe_left",
    "lung_upper_lobe_right",
    "lung_middle_lobe_right",
    "lung_lower_lobe_right",
    "esophagus",
    "trachea",
    "thyroid_gland",
    "small_bowel",
    "duodenum",
    "colon",
    "urinary_bladder",
    "prostate",
    "kidney_cyst_left",
    "kidney_cyst_right",
    "sacrum",
    "vertebrae_S1",
    "vertebrae_L5",
    "vertebrae_L4",
    "vertebrae_L3",
    "vertebrae_L2",
    "vertebrae_L1",
    "vertebrae_T12",
    "vertebrae_T11",
    "vertebrae_T10",
    "vertebrae_T9",
    "vertebrae_T8",
    "vertebrae_T7",
    "vertebrae_T6",
    "vertebrae_T5",
    "vertebrae_T4",
    "vertebrae_T3",
    "vertebrae_T2",
    "vertebrae_T1",
    "vertebrae_C7",
    "vertebrae_C6",
    "vertebrae_C5",
    "vertebrae_C4",
    "vertebrae_C3",
    "vertebrae_C2",
    "vertebrae_C1",
    "heart",
    "aorta",
    "pulmonary_vein",
    "brachiocephalic_trunk",
    "subclavian_artery_right",
    "subclavian_artery_left",
    "common_carotid_artery_right",
    "common_carotid_artery_left",
    "brachiocephalic_vein_left",
    "brachiocephalic_vein_right",
    "atrial_appendage_left",
    "superior_vena_cava",
    "inferior_vena_cava",
    "portal_vein_and_splenic_vein",
    "iliac_artery_left",
    "iliac_artery_right",
    "iliac_vena_left",
    "iliac_vena_right",
    "humerus_left",
    "humerus_right",
    "scapula_left",
    "scapula_right",
    "clavicula_left",
    "clavicula_right",
    "femur_left",
    "femur_right",
    "hip_left",
    "hip_right",
    "spinal_cord",
    "gluteus_maximus_left",
    "gluteus_maximus_right",
    "gluteus_medius_left",
    "gluteus_medius_right",
    "gluteus_minimus_left",
    "gluteus_minimus_right",
    "autochthon_left",
    "autochthon_right",
    "iliopsoas_left",
    "iliopsoas_right",
    "brain",
    "skull",
    "rib_left_1",
    "rib_left_2",
    "rib_left_3",
    "rib_left_4",
    "rib_left_5",
    "rib_left_6",
    "rib_left_7",
    "rib_left_8",
    "rib_left_9",
    "rib_left_10",
    "rib_left_11",
    "rib_left_12",
    "rib_right_1",
    "rib_right_2",
    "rib_right_3",
    "rib_right_4",
    "rib_right_5",
    "rib_right_6",
    "rib_right_7",
    "rib_right_8",
    "rib_right_9",
    "rib_right_10",
    "rib_right_11",
    "rib_right_12",
    "sternum",
    "costal_cartilages",
};

constexpr std::array<std::string_view, 104> kTotalSegmentatorV1 = {
    "spleen",
    "kidney_right",
    "kidney_left",
    "gallbladder",
    "liver",
    "stomach",
    "aorta",
    "inferior_vena_cava",
    "portal_vein_and_splenic_vein",
    "pancreas",
    "adrenal_gland_right",
    "adrenal_gland_left",
    "lung_upper_lobe_left",
    "lung_lower_lobe_left",
    "lung_upper_lobe_right",
    "lung_middle_lobe_right",
    "lung_lower_lobe_right",
    "vertebrae_L5",
    "vertebrae_L4",
    "vertebrae_L3",
    "vertebrae_L2",
    "vertebrae_L1",
    "vertebrae_T12",
    "vertebrae_T11",
    "vertebrae_T10",
    "vertebrae_T9",
    "vertebrae_T8",
    "vertebrae_T7",
    "vertebrae_T6",
    "vertebrae_T5",
    "vertebrae_T4",
    "vertebrae_T3",
    "vertebrae_T2",
    "vertebrae_T1",
    "vertebrae_C7",
    "vertebrae_C6",
    "vertebrae_C5",
    "vertebrae_C4",
    "vertebrae_C3",
    "vertebrae_C2",
    "vertebrae_C1",
    "esophagus",
    "trachea",
    "heart_myocardium",
    "heart_atrium_left",
    "heart_ventricle_left",
    "heart_atrium_right",
    "heart_ventricle_right",
    "pulmonary_artery",
    "brain",
    "iliac_artery_left",
    "iliac_artery_right",
    "iliac_vena_left",
    "iliac_vena_right",
    "small_bowel",
    "duodenum",
    "colon",
    "rib_left_1",
    "rib_left_2",
    "rib_left_3",
    "rib_left_4",
    "rib_left_5",
    "rib_left_6",
    "rib_left_7",
    "rib_left_8",
    "rib_left_9",
    "rib_left_10",
    "rib_left_11",
    "rib_left_12",
    "rib_right_1",
    "rib_right_2",
    "rib_right_3",
    "rib_right_4",
    "rib_right_5",
    "rib_right_6",
    "rib_right_7",
    "rib_right_8",
    "rib_right_9",
    "rib_right_10",
    "rib_right_11",
    "rib_right_12",
    "humerus_left",
    "humerus_right",
    "scapula_left",
    "scapula_right",
    "clavicula_left",
    "clavicula_right",
    "femur_left",
    "femur_right",
    "hip_left",
    "hip_right",
    "sacrum",
    "face",
    "gluteus_maximus_left",
    "gluteus_maximus_right",
    "gluteus_medius_left",
    "gluteus_medius_right",
    "gluteus_minimus_left",
    "gluteus_minimus_right",
    "autochthon_left",
    "autochthon_right",
    "iliopsoas_left",
    "iliopsoas_right",
    "urinary_bladder",
};

constexpr std::array<std::string_view, 28> kVerse = {
    "C1", "C2", "C3",  "C4",  "C5",  "C6", "C7", "T1", "T2", "T3", "T4", "T5",     "T6",     "T7",
    "T8", "T9", "T10", "T11", "T12", "L1", "L2", "L3", "L4", "L5", "L6", "sacrum", "coccyx", "T13"};

/// TotalSegmentator's words in ours, by their beginning; the first row that fits counts.
constexpr std::array<std::pair<std::string_view, std::string_view>, 49> kTranslation = {{
    {"vertebrae_S1", "vertebra_sacrum"},
    {"sacrum", "vertebra_sacrum"},
    {"spinal_cord", "cord"},
    {"spleen", "spleen"},
    {"kidney_right", "kidney_right"},
    {"kidney_left", "kidney_left"},
    {"kidney_cyst_right", "kidney_right"},
    {"kidney_cyst_left", "kidney_left"},
    {"gallbladder", "gallbladder"},
    {"liver", "liver"},
    {"stomach", "stomach"},
    {"pancreas", "pancreas"},
    {"adrenal_gland", "adrenal"},
    {"esophagus", "oesophagus"},
    {"trachea", "trachea"},
    {"thyroid_gland", "organ"},
    {"small_bowel", "bowel"},
    {"duodenum", "bowel"},
    {"colon", "bowel"},
    {"urinary_bladder", "bladder"},
    {"prostate", "organ"},
    {"heart", "heart"},
    {"atrial_appendage", "heart"},
    {"aorta", "aorta"},
    {"inferior_vena_cava", "vena_cava"},
    {"superior_vena_cava", "vessel"},
    {"pulmonary_", "vessel"},
    {"brachiocephalic_", "vessel"},
    {"subclavian_artery", "vessel"},
    {"common_carotid_artery", "vessel"},
    {"portal_vein", "vessel"},
    {"iliac_artery", "iliac_artery"},
    {"iliac_vena", "iliac_vein"},
    {"humerus", "bone"},
    {"scapula", "bone"},
    {"clavicula", "bone"},
    {"femur", "bone"},
    {"hip", "bone"},
    {"skull", "bone"},
    {"sternum", "bone"},
    {"rib", "rib"},
    {"costal_cartilages", "rib"},
    {"gluteus", "muscle"},
    {"autochthon", "muscle"},
    {"iliopsoas", "muscle"},
    {"brain", "organ"},
    {"face", "organ"},
    {"lung", "lung"},           // the side is its last word
    {"vertebrae", "vertebra"},  // the level is its last word
}};

StructureValue translated(std::string_view foreign) {
  for (const auto& [beginning, ours] : kTranslation) {
    if (!foreign.starts_with(beginning)) continue;
    std::string name(ours);
    if (ours == "lung" || ours == "vertebra") name += foreign.substr(foreign.rfind('_'));
    if (const auto value = structure_value(name)) return *value;
  }
  throw ConfigError("no structure for the class '" + std::string(foreign) + "'", "label conventions",
                    "add it to the translation table");
}

template <class Names>
LabelConvention totalsegmentator(std::string name, const Names& names) {
  LabelConvention c;
  c.name = std::move(name);
  c.cord_holds_cauda = true;
  for (std::uint32_t n = 0; n < names.size(); ++n)
    c.values.push_back({n + 1, std::string(names[n]), translated(names[n])});
  return c;
}

LabelConvention verse() {
  LabelConvention c;
  c.name = "verse";
  for (std::uint32_t n = 0; n < kVerse.size(); ++n)
    c.values.push_back(
        {n + 1, std::string(kVerse[n]), structure_value("vertebra_" + std::string(kVerse[n])).value()});
  return c;
}

LabelConvention own() {
  LabelConvention c;
  c.name = "spinetherm";
  c.expects_vertebrae = false;
  for (const auto& [value, name] : structure_table()) c.values.push_back({value, name, value});
  return c;
}

}  // namespace

const LabelMeaning* LabelConvention::find(std::uint32_t value) const {
  const auto it = std::lower_bound(values.begin(), values.end(), value,
                                   [](const LabelMeaning& m, std::uint32_t v) { return m.value < v; });
  return it != values.end() && it->value == value ? &*it : nullptr;
}

const std::vector<LabelConvention>& label_conventions() {
  static const std::vector<LabelConvention> all = {
      totalsegmentator("totalsegmentator-v2", kTotalSegmentatorV2),
      totalsegmentator("totalsegmentator-v1", kTotalSegmentatorV1),
      verse(),
      own(),
  };
  return all;
}

const LabelConvention& label_convention(std::string_view name) {
  std::vector<std::string> known;
  for (const LabelConvention& c : label_conventions()) {
    if (c.name == name) return c;
    known.push_back(c.name);
  }
  throw ConfigError("unknown label convention '" + std::string(name) + "'", "convention",
                    "did you mean '" + nearest_word(name, known) +
                        "'? known: totalsegmentator-v2, totalsegmentator-v1, verse, spinetherm");
}

const std::vector<ForeignLabelKind>& foreign_label_kinds() {
  static const std::vector<ForeignLabelKind> all = {
      {"a binary mask", {1}, "it names no level; give the map that holds one value a vertebra"},
      {"a binary mask (0 and 255)", {255}, "it names no level; give the map that holds one value a vertebra"},
      {"TotalSegmentator vertebrae_body (1 body, 2 discs)",
       {1, 2},
       "it names no level; give the map of the task 'total'"},
      {"a vertebra subregion map (41-50 arch, processes and body, 60-62 cord, canal, endplate, 100 disc)",
       {26, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 60, 61, 62, 100},
       "it names no level; give the vertebra map (seg-vert) of the same scan, convention verse"},
      {"TotalSegmentator total_mr (19 vertebrae, 20 discs, 21 cord)",
       {18, 19, 20, 21, 23, 24, 86, 87},
       "it names no level; give a map with one value a vertebra"},
  };
  return all;
}

}  // namespace spinetherm
