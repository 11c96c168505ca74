// SPDX-License-Identifier: Apache-2.0
#include "datasets/scan_catalogue.h"

#include <gmock/gmock.h>

#include <set>

#include "datasets/embedded_tables.h"
#include "imaging/core/error.h"

namespace spinetherm {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(ScanCatalogue, HoldsTheKindsOfScanThatASpineNeeds) {
  std::set<std::string> modalities;
  for (const SampleScan& scan : scan_catalogue().scans) {
    modalities.insert(scan.modality);
    EXPECT_FALSE(scan.licence.empty()) << scan.name;
    EXPECT_FALSE(scan.licence_note.empty()) << scan.name;
    EXPECT_EQ(scan.commit.size(), 40U) << scan.name;
    EXPECT_GT(scan.size[0] * scan.size[1] * scan.size[2], 1000) << scan.name;
  }
  for (const char* modality : {"CT", "CBCT", "MR T1", "MR T2", "labels"})
    EXPECT_TRUE(modalities.count(modality));
}

TEST(ScanCatalogue, LabelsNameTheScanTheyLieOnAndShareItsGrid) {
  for (const SampleScan& scan : scan_catalogue().scans) {
    if (scan.modality != "labels") continue;
    ASSERT_TRUE(scan.what.starts_with("of ")) << scan.name;
    const SampleScan& image = sample_scan(scan.what.substr(3, scan.what.find(':') - 3));
    EXPECT_NE(image.modality, "labels") << scan.name;
    EXPECT_EQ(image.size, scan.size) << scan.name;
    EXPECT_EQ(image.spacing_mm, scan.spacing_mm) << scan.name;
  }
}

TEST(ScanCatalogue, OnlyAFileOfItsOriginHasAnAddress) {
  EXPECT_EQ(url_of(sample_scan("lumbar-ct")),
            "https://raw.githubusercontent.com/wasserth/TotalSegmentator/"
            "0e65a448d557382b1e925276212b3bec7f5aff83/tests/reference_files/example_ct.nii.gz");
  EXPECT_FALSE(url_of(sample_scan("thoracic-ct")));
  EXPECT_EQ(percent_encoded("a b/c-d_e.f~%"), "a%20b/c-d_e.f~%25");
}

TEST(ScanCatalogue, AnUnknownNameIsRefusedWithTheNearest) {
  EXPECT_THAT([] { sample_scan("lumber-ct"); }, ThrowsMessage<ConfigError>(HasSubstr("'lumbar-ct'")));
}

void expect_refused(const std::string& pointer, const nlohmann::json& value, const std::string& message) {
  auto json = embedded_document("scans.json");
  json[nlohmann::json::json_pointer(pointer)] = value;
  EXPECT_THAT([&] { read_scan_catalogue(JsonReader(json)); },
              ThrowsMessage<ConfigError>(AllOf(HasSubstr(pointer), HasSubstr(message))));
}

TEST(ScanCatalogue, EveryMistakeIsRefusedWithItsPointer) {
  expect_refused("/scans/1/sha256", "abc", "64 hexadecimal digits");
  expect_refused("/scans/1/sha256", std::string(64, 'G'), "64 hexadecimal digits");
  expect_refused("/sources/sct/commit", "main", "40 hexadecimal digits");
  expect_refused("/scans/1/file", "../../etc/passwd", "no path of a file below the folder");
  expect_refused("/scans/1/file", "/etc/passwd", "no path of a file below the folder");
  expect_refused("/scans/1/file", "ct/", "no path of a file below the folder");
  expect_refused("/scans/1/source", "sctt", "sct");
  expect_refused("/scans/1/bytes", 0, "empty scan");
  expect_refused("/scans/1/bite", 5, "unknown key");
  expect_refused("/scans/2/name", "lumbar-ct", "named twice");
  expect_refused("/scans/2/file", "ct/ts_example_ct.nii.gz", "two scans lie at");
}

}  // namespace
}  // namespace spinetherm
