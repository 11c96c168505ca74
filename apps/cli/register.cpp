// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/cli/command.h"
#include "apps/io/json_file.h"
#include "apps/io/points.h"
#include "apps/job.h"
#include "imaging/read.h"
#include "imaging/transform_io.h"

namespace spinetherm {
namespace {

struct RegisterOptions {
  std::filesystem::path fixed, moving, initial;
  std::string kind = "rigid";
  std::vector<double> centre_mm;
  std::vector<std::filesystem::path> landmarks;
};

std::vector<Eigen::Vector3d> positions(const std::filesystem::path& file) {
  std::vector<Eigen::Vector3d> out;
  for (const NamedPoint& p : read_points(file)) out.push_back(p.at_mm);
  return out;
}

}  // namespace

Run register_command(CLI::App& app) {
  auto options = std::make_shared<RegisterOptions>();
  app.add_option("FIXED", options->fixed, "the image that stays: the CBCT, or the CT")->required();
  app.add_option("MOVING", options->moving, "the image that is brought to it: the MRI")->required();
  app.add_option("--kind", options->kind, "rigid")->type_name("NAME")->capture_default_str();
  app.add_option("--centre", options->centre_mm, "x,y,z: the vertebra of interest, LPS mm in FIXED")
      ->type_name("MM")
      ->delimiter(',')
      ->expected(3);
  app.add_option("--initial", options->initial, "ITK transform moving_from_fixed to begin with")
      ->type_name("FILE");
  app.add_option("--landmarks", options->landmarks, "the same points in FIXED and in MOVING")
      ->type_name("F M")
      ->expected(2);
  return [options](const CommandContext& context) -> int {
    if (options->kind != "rigid")
      throw ConfigError(fmt::format("unknown kind '{}'", options->kind), "spinetherm register",
                        "known: rigid");
    RigidOptions rigid;
    rigid.seed = std::uint32_t(context.seed);
    if (!options->initial.empty()) rigid.moving_from_fixed = read_rigid(options->initial);
    if (!options->centre_mm.empty())
      rigid.centre_mm = Eigen::Vector3d(options->centre_mm[0], options->centre_mm[1], options->centre_mm[2]);
    const Image fixed = read_image(options->fixed), moving = read_image(options->moving);
    JobRegistration done;
    done.fixed = options->fixed.string();
    done.moving = options->moving.string();
    std::vector<Eigen::Vector3d> in_fixed, in_moving;
    if (!options->landmarks.empty()) {
      in_fixed = positions(options->landmarks[0]);
      in_moving = positions(options->landmarks[1]);
    }
    OutputDirectory out(context.output("register", options->fixed.stem().stem().string()));
    done.result = register_rigid(fixed, moving, rigid, context.progress);
    throw_if_cancelled(context.progress);
    if (!in_fixed.empty())
      done.result.quality.tre_mm = landmark_error_mm(done.result.moving_from_fixed, in_fixed, in_moving);
    if (done.result.usable()) {
      write_transform(out.working() / "moving_from_fixed.tfm", done.result.moving_from_fixed);
      write_transform(out.working() / "fixed_from_moving.tfm", done.result.fixed_from_moving);
    }
    nlohmann::ordered_json document = to_json(done);
    const auto path_of = [&](const char* name) {
      return done.result.usable() ? nlohmann::ordered_json((out.final_path() / name).string())
                                  : nlohmann::ordered_json(nullptr);
    };
    document["transform"] = path_of("moving_from_fixed.tfm");
    document["inverse"] = path_of("fixed_from_moving.tfm");
    write_json_file(document, out.working() / "registration.json");
    out.commit();
    if (context.json) {
      print_json(document);
    } else {
      std::cout << fmt::format("verdict    {}\n", to_string(done.result.verdict));
      for (const std::string& reason : done.result.reasons) std::cout << "           " << reason << '\n';
      if (done.result.quality.tre_mm)
        std::cout << fmt::format("TRE        {:.2f} mm\n", *done.result.quality.tre_mm);
      std::cout << "transform  " << (out.final_path() / "moving_from_fixed.tfm").string() << '\n';
    }
    return done.result.usable() ? kExitDone : kExitFailed;
  };
}

}  // namespace spinetherm
