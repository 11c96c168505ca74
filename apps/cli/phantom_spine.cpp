// SPDX-License-Identifier: Apache-2.0
#include "apps/cli/phantom_spine.h"

#include "imaging/core/error.h"

namespace spinetherm {

void PhantomSpineOptions::apply_to(SpineOptions& options) const {
  options = spine;
  options.variant = parse_spine_variant(variant);
  if (sex.empty()) return;
  if (sex != "female" && sex != "male")
    throw ConfigError("unknown sex '" + sex + "'", "--sex", "use female or male");
  options.sex = sex == "female" ? Sex::female : Sex::male;
}

void add_phantom_spine_options(CLI::App& app, PhantomSpineOptions& options) {
  SpineOptions& s = options.spine;
  app.add_option("--sex", options.sex, "female or male; drawn");
  app.add_option("--size", s.size, "scale of the whole spine, 0.8 to 1.2; drawn");
  app.add_option("--age", s.age_years, "of the bone [years]; drawn")->type_name("YEARS");
  app.add_option("--cervical-lordosis", s.cervical_lordosis_deg, "C3 to C7 [deg]; drawn")->type_name("DEG");
  app.add_option("--kyphosis", s.kyphosis_deg, "T1 to T12 [deg]; drawn")->type_name("DEG");
  app.add_option("--lordosis", s.lordosis_deg, "L1 to the sacrum [deg]; drawn")->type_name("DEG");
  app.add_option("--scoliosis", s.scoliosis_deg, "Cobb angle, thoracic to the right [deg]")
      ->type_name("DEG")
      ->capture_default_str();
  app.add_option("--degeneration", s.degeneration, "of discs, endplates and facets, 0 to 1; drawn");
  app.add_option("--variant", options.variant,
                 "none, t13, ribs_11, cervical_rib, lumbarised_s1, sacralised_l5")
      ->capture_default_str();
  app.add_option("--spread", s.spread, "of all deviations from the mean patient; 0: the mean patient")
      ->capture_default_str();
  app.add_flag("--held-out", s.held_out,
               "another family of dimensions, textures and scanners, to report results on");
}

}  // namespace spinetherm
