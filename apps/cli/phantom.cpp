// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/cli/command.h"
#include "apps/cli/phantom_images.h"

namespace spinetherm {
namespace {

struct PhantomOptions {
  std::string levels = "L2-L4", lesion = "lytic,posterior", lesion_level;
  SpinePhantomOptions phantom;
  PhantomImageOptions images;
};

int phantom(PhantomOptions options, const CommandContext& context) {
  SpinePhantomOptions& o = options.phantom;
  o.levels = parse_levels(options.levels);
  o.lesion = parse_lesion(options.lesion, o.lesion);
  o.lesion_level = options.lesion_level;
  o.seed = context.seed;
  options.images.apply_to(o);
  o.validate();

  OutputDirectory output(context.output("phantom", options.levels));
  const SpinePhantom made = make_spine_phantom(o, context.progress);
  throw_if_cancelled(context.progress);
  write_phantom(made, output.working(), options.images.files());
  output.commit();

  const auto file = output.final_path() / "case.json";
  const PhantomLesion& l = made.lesion;
  if (context.json) {
    print_json({{"case", file.string()},
                {"level", l.level},
                {"lesion",
                 {{"kind", to_string(l.options.kind)},
                  {"centre_mm", {l.centre_mm.x(), l.centre_mm.y(), l.centre_mm.z()}},
                  {"radius_mm", l.options.radius_mm.value()},
                  {"volume_ml", l.volume_ml}}},
                {"seed", o.seed}});
  } else {
    const auto& size = made.ct.volume.grid.size;
    std::cout << fmt::format(
        "{} {} to {}, {} x {} x {} voxels of {:g} mm; {} lesion of {:.1f} ml in {}\n{}\n",
        "synthetic patient", o.levels.front(), o.levels.back(), size[0], size[1], size[2], o.spacing_mm,
        to_string(l.options.kind), l.volume_ml, l.level, file.string());
  }
  return kExitDone;
}

}  // namespace

Run phantom_command(CLI::App& app) {
  auto o = std::make_shared<PhantomOptions>();
  app.add_option("--levels", o->levels, "one level or a range, C3 to L5")->capture_default_str();
  app.add_option("--lesion", o->lesion,
                 "words: lytic, blastic, mixed, marrow; anterior, central, posterior, pedicle; left, right")
      ->capture_default_str();
  app.add_option("--lesion-level", o->lesion_level, "level of the lesion; without it the middle one");
  app.add_option("--lesion-radius", o->phantom.lesion.radius_mm,
                 "radius of the sphere that holds it [mm]; without it 7, or less in a small body")
      ->type_name("MM");
  app.add_option("--wall-gap", o->phantom.lesion.wall_gap_mm,
                 "bone between the lesion and the posterior wall [mm]; without it 7, or less in a small body")
      ->type_name("MM");
  app.add_option("--spacing", o->phantom.spacing_mm, "voxels of CT and CBCT [mm]; the MRI's are never finer")
      ->type_name("MM")
      ->capture_default_str();
  add_phantom_image_options(app, o->images);
  app.footer(
      "Writes CT, CBCT, T1, T2 and STIR MRI, labels, landmarks, the true transforms, the lesion and "
      "case.json,\n"
      "which 'spinetherm run' reads. CT and CBCT are of the prone patient, the MRI is of the supine one.");
  return [o](const CommandContext& context) { return phantom(*o, context); };
}

}  // namespace spinetherm
