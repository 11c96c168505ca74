// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "imaging/core/anatomy.h"
#include "planning/target.h"

namespace spinetherm {

/// Where a structure could be that is not labelled.
enum class Whereabouts {
  known,          ///< `points_mm` are the structure
  unlabelled,     ///< anywhere in tissue that no label claims: `points_mm` are that tissue near the target
  outside_image,  ///< the image does not reach it
  anywhere        ///< nothing is known
};

/// An organ at risk. Fields are sampled at `points_mm`: surface and interior, within reach of the heat.
struct Structure {
  std::string name;         ///< of core's table: dura, cord, cauda, root_L3_left, aorta, skin ...
  std::string limit_class;  ///< of limit_classes()
  /// Further classes whose limits hold too: `foramen` for roots T8-L2, beside which the artery of the cord
  /// runs.
  std::vector<std::string> also_classes;
  StructureStatus status = StructureStatus::missing;
  Whereabouts whereabouts = Whereabouts::anywhere;
  /// How far the envelope reaches beyond the anatomy as given [mm]; in `points_mm` already.
  double inflate_mm = 0;
  std::vector<Eigen::Vector3d> points_mm;
  /// The cord's place is known by its canal only: a pass is caution at best.
  bool caution_at_best = false;
  std::string reason;  ///< where the knowledge comes from, or why it is missing
};

struct StructureOptions {
  /// Structures and tissue are collected within this distance of the target's centre [mm]: further than any
  /// single applicator heats by 0.5 K in half an hour.
  double reach_mm = 60;
  /// Spacing at which structures are sampled [mm]; roots and walls are a few mm thick.
  double spacing_mm = 1;
  /// Envelope of a modelled root beyond its tube [mm]: clinical rule for modelled anatomy, at least 2.
  double root_inflate_mm = 2;
  /// Envelope of the dura around a cord whose canal is not known [mm]: the CSF in front of the cord is 1-3
  /// mm.
  double csf_mm = 3;
  /// Throws ConfigError naming the first field that breaks its rule.
  void validate() const;
  bool operator==(const StructureOptions&) const = default;
};

/// Structures at risk around the target, in a fixed order: dura, cord, cauda, roots, vessels, viscera, skin.
///  * dura: surface of the sac where it is labelled; else the whole inner canal wall (estimated); else the
///  cord
///    inflated by `csf_mm`; else missing.
///  * cord (C1-L2) and cauda (L1 and below): as labelled; else the whole canal, `caution_at_best`; else
///  missing.
///  * roots: modelled tubes inflated by `root_inflate_mm`, imported labels beside them; the target level's
///  own
///    roots are missing when nobody modelled them. T2-T12 are class thoracic_root, all others motor_root.
///  * vessels and viscera within reach as labelled; those that a patient of the level must have and that no
///    label names: missing, whereabouts `unlabelled`.
///  * skin: from the CT's air boundary; no air: missing, `outside_image`.
/// `ct_HU` may be empty. ConfigError when the target's mask is empty or lies outside the anatomy's grid.
std::vector<Structure> find_structures(const Anatomy& anatomy, const Target& target,
                                       const Volume<float>& ct_HU, const StructureOptions& options = {});

/// Class of a structure's limits by its name; empty for what is not at risk (bone, muscle, fat).
std::string limit_class_of(std::string_view structure);
/// Whether the cord (C1-L2: the conus ends at L1-L2) or the cauda (from L1 down) is expected. An empty or
/// unknown level expects both.
bool expects_cord(std::string_view level);
bool expects_cauda(std::string_view level);

}  // namespace spinetherm
