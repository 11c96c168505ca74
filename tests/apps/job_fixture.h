// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "apps/io/phantom_files.h"
#include "apps/job.h"
#include "tests/cli/run_program.h"

namespace spinetherm {

/// A coarse patient of two levels on disk, made once for all tests of a suite. The case holds the true
/// transform to the MRI, so that no test has to register: one motion, as the spine does not bend.
class JobTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    scratch_ = std::make_unique<ScratchFolder>();
    SpinePhantomOptions o;
    o.levels = {"L2", "L3"};
    o.spacing_mm = 2.5;
    o.supersample = 1;
    o.posture = posture_preset("rigid");
    phantom_ = std::make_unique<SpinePhantom>(make_spine_phantom(o));
    write_phantom(*phantom_, *scratch_ / "patient");
  }
  static void TearDownTestSuite() {
    phantom_.reset();
    scratch_.reset();
  }
  static const SpinePhantom& phantom() { return *phantom_; }
  static std::filesystem::path file(const std::string& name) { return *scratch_ / name; }

  PatientCase patient = [] {
    PatientCase p = read_case(file("patient/case.json"));
    p.transforms.push_back({file("patient/truth/mri_from_cbct.tfm"), "cbct", "mri"});
    return p;
  }();
  /// As coarse as the solver allows: what is tested is the job, not the heat.
  JobOptions options = [] {
    JobOptions o;
    o.spacing_mm = 4;
    o.margin_mm = 20;
    o.max_solves = 1;
    o.threads = 1;
    return o;
  }();

 private:
  static inline std::unique_ptr<ScratchFolder> scratch_;
  static inline std::unique_ptr<SpinePhantom> phantom_;
};

}  // namespace spinetherm
