// SPDX-License-Identifier: Apache-2.0
#include "imaging/dicom_object.h"

#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "tests/imaging/dicom_fixture.h"

namespace spinetherm {
namespace {

std::optional<DicomObject> object_of(const std::string& bytes) {
  std::istringstream in(bytes);
  return read_dicom_object(in, bytes.size());
}

TEST(DicomObject, BeginsWithItsPreambleOrABareDataSet) {
  const std::string bytes = FakeDicom(0, 0).bytes();
  EXPECT_TRUE(begins_as_dicom(bytes.substr(0, 132)));
  EXPECT_FALSE(begins_as_dicom(bytes.substr(0, 131)));
  EXPECT_TRUE(begins_as_dicom(bytes.substr(132))) << "group 2, explicit VR, no preamble";
  EXPECT_FALSE(begins_as_dicom(std::string(200, 'x')));
  EXPECT_FALSE(begins_as_dicom(std::string(200, '\0')));
  EXPECT_FALSE(begins_as_dicom(""));
}

TEST(DicomObject, HeaderIsReadAsItIsWritten) {
  FakeDicom fake(3, 12.5);
  fake.set(0x00181120, "DS", "-7.5");
  const auto object = object_of(fake.bytes());
  ASSERT_TRUE(object);
  EXPECT_EQ(object->series_uid, "1.2.3.4");
  EXPECT_EQ(object->series_number, 5);
  EXPECT_EQ(object->description, "made for a test");
  EXPECT_EQ(object->modality, "CT");
  EXPECT_EQ(object->image_type, "ORIGINAL\\PRIMARY\\AXIAL");
  EXPECT_EQ(object->columns, FakeDicom::kColumns);
  EXPECT_EQ(object->rows, FakeDicom::kRows);
  EXPECT_EQ(object->bits, 16);
  EXPECT_EQ(object->frames, 1);
  EXPECT_EQ(object->tilt_deg, -7.5);
  EXPECT_TRUE(object->has_rescale);
  ASSERT_EQ(object->slices.size(), 1u);
  const DicomSlice& slice = object->slices[0];
  EXPECT_EQ(*slice.position_mm, Eigen::Vector3d(-10, -20, 12.5));
  EXPECT_EQ(*slice.axes, Eigen::Matrix3d::Identity());
  EXPECT_EQ(*slice.pixel_mm, Eigen::Vector2d(0.5, 0.75)) << "between columns first";
  EXPECT_EQ(slice.slope, 2);
  EXPECT_EQ(slice.intercept, -1024);
}

TEST(DicomObject, WhatIsNotThereIsEmptyAndNotZero) {
  FakeDicom fake(0, 0);
  for (const std::uint32_t tag :
       {0x00200032u, 0x00200037u, 0x00280030u, 0x00281052u, 0x00281053u, 0x00200011u})
    fake.erase(tag);
  const auto object = object_of(fake.bytes());
  ASSERT_TRUE(object);
  EXPECT_FALSE(object->series_number);
  EXPECT_FALSE(object->tilt_deg);
  EXPECT_FALSE(object->has_rescale);
  EXPECT_FALSE(object->slices.at(0).position_mm);
  EXPECT_FALSE(object->slices.at(0).axes);
  EXPECT_FALSE(object->slices.at(0).pixel_mm);
  EXPECT_EQ(object->slices.at(0).slope, 1);
}

TEST(DicomObject, WordsThatAreNoNumbersDoNotPassAsNumbers) {
  FakeDicom fake(0, 0);
  fake.set(0x00200011, "IS", "five").set(0x00200032, "DS", "1\\x\\3").set(0x00280030, "DS", "0.75");
  const auto object = object_of(fake.bytes());
  ASSERT_TRUE(object);
  EXPECT_FALSE(object->series_number);
  EXPECT_TRUE(std::isnan((*object->slices.at(0).position_mm)[1]));
  EXPECT_FALSE(object->slices.at(0).pixel_mm) << "one number is not two";
}

TEST(DicomObject, AFrameOfAMultiFrameObjectHasNoPositionOfTheTopLevel) {
  FakeDicom fake(0, 0);
  fake.set(0x00280008, "IS", "4");
  const auto object = object_of(fake.bytes());
  ASSERT_TRUE(object);
  EXPECT_EQ(object->frames, 4);
  ASSERT_EQ(object->slices.size(), 4u);
  for (int n = 0; n < 4; ++n) {
    EXPECT_EQ(object->slices[std::size_t(n)].frame, n);
    EXPECT_FALSE(object->slices[std::size_t(n)].position_mm);
  }
  fake.set(0x00280008, "IS", "-4");
  EXPECT_EQ(object_of(fake.bytes())->frames, 0);
}

TEST(DicomObject, TruncatedAndForeignBytesAreEmpty) {
  const std::string whole = FakeDicom(0, 0).bytes();
  EXPECT_FALSE(object_of(whole.substr(0, 200)));
  EXPECT_FALSE(object_of(whole.substr(0, whole.size() - 1)));
  EXPECT_FALSE(object_of(std::string(1000, 'x')));
  FakeDicom nameless(0, 0);
  nameless.erase(0x0020000e).erase(0x00080016);
  EXPECT_FALSE(object_of(nameless.bytes())) << "neither series nor class: no object of an archive";
}

}  // namespace
}  // namespace spinetherm
