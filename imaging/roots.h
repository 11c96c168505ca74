// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "imaging/core/anatomy.h"

namespace spinetherm {

struct RootOptions {
  /// How far a tube goes on beyond the pedicle's medial wall [mm]: half a pedicle, then 15 mm outside of the
  /// foramen, as far as an ablation of a vertebra reaches.
  double length_mm = 19;
  /// Between the pedicle's lower border and the tube's wall [mm]: roots lie close under the pedicle
  /// (guidance.md 4.1: neural structures are closest medially and inferiorly).
  double below_pedicle_mm = 1.5;

  void validate() const;
};

/// Adds a straight modelled tube for the left and right root of every labelled vertebra (names root_L3_left
/// ..., status modelled), so that roots are never missing. For each side of each vertebra, in its own frame
/// (up: along the canal; back: from the vertebra to the canal):
///   1. the pedicle is the longest run of heights at which rays to the side, 2 to 6 mm behind the body's
///      posterior wall, from the neural centre (cord, cauda, dural sac, canal; else the hole that the
///      vertebrae enclose) meet the vertebra's label within 22 mm; its lower border and medial wall are
///      measured there;
///   2. the tube passes below_pedicle_mm under that border at the medial wall, descends by the take-off angle
///      (thoracic 5 deg, T11-T12 25 deg, lumbar 50 to 59 deg, cervical 15 deg from horizontal;
///      guidance.md 4.2), begins at the surface of the neural structure and ends length_mm further out;
///   3. small shifts and turns are tried, and the one that meets the least labelled bone is taken.
/// A cervical root leaves above the pedicle of its vertebra; the one below C7 (C8, which has no name of its
/// own here) is a second tube of root_C7. Radius: 1.25 mm cervical, 1 thoracic, 1.5 to 2 lumbar
/// (guidance.md 4.2); the ganglion is wider, and a verdict inflates the tube (clinical.md G5).
///
/// A side whose pedicle is not found gets the place of a neighbour's foramen moved by one level, else a
/// generic place beside the canal, with a warning; where even that lies outside the grid there is no tube,
/// with a warning. Sacral roots and C1 are not modelled, with a warning. Tubes of earlier calls are replaced;
/// roots with labels of their own (imported) are left alone.
void add_root_tubes(Anatomy& anatomy, const RootOptions& options = {});

}  // namespace spinetherm
