// SPDX-License-Identifier: Apache-2.0
#include "imaging/displacement_field.h"

#include <fmt/format.h>
#include <itkMetaImageIO.h>
#include <itkNiftiImageIO.h>
#include <itkNrrdImageIO.h>

#include "imaging/core/error.h"
#include "imaging/write.h"

namespace spinetherm {
namespace {

namespace fs = std::filesystem;

itk::ImageIOBase::Pointer image_io_for(const fs::path& path) {
  const std::string name = path.filename().string();
  if (name.ends_with(".nii") || name.ends_with(".nii.gz")) return itk::NiftiImageIO::New().GetPointer();
  if (name.ends_with(".nrrd")) return itk::NrrdImageIO::New().GetPointer();
  if (name.ends_with(".mha")) return itk::MetaImageIO::New().GetPointer();
  throw IoError("a field cannot be of this suffix", path.string(), "use .nii.gz, .nii, .nrrd or .mha");
}

itk::ImageIORegion whole(const Grid& grid) {
  itk::ImageIORegion region(3);
  for (unsigned a = 0; a < 3; ++a) {
    region.SetSize(a, itk::SizeValueType(grid.size[a]));
    region.SetIndex(a, 0);
  }
  return region;
}

}  // namespace

void write_displacement_field(const fs::path& path, const DisplacementField& field) {
  write_vectors(path, field.grid, field.values);
}

DisplacementField read_displacement_field(const fs::path& path) {
  const itk::ImageIOBase::Pointer io = image_io_for(path);
  std::error_code ec;
  if (!fs::is_regular_file(path, ec)) throw IoError("is not a file", path.string(), "check the path");
  try {
    io->SetFileName(path.string());
    io->ReadImageInformation();
    if (io->GetNumberOfDimensions() != 3 || io->GetNumberOfComponents() != 3 ||
        io->GetComponentType() != itk::IOComponentEnum::FLOAT)
      throw IoError("is no field of three numbers (float) a voxel", path.string(),
                    "name a displacement field of three dimensions");
    Grid grid;
    for (unsigned a = 0; a < 3; ++a) {
      const std::vector<double> axis = io->GetDirection(a);
      grid.size[a] = int(io->GetDimensions(a));
      grid.spacing_mm[a] = io->GetSpacing(a);
      grid.origin_mm[a] = io->GetOrigin(a);
      grid.direction.col(a) = Eigen::Vector3d(axis[0], axis[1], axis[2]);
    }
    grid.validate(path.string(), 3e8);
    DisplacementField field(grid, Eigen::Vector3f::Zero());
    io->SetIORegion(whole(grid));
    io->Read(field.values.data());
    return field;
  } catch (const itk::ExceptionObject& e) {
    throw IoError(fmt::format("cannot be read [{}]", e.GetDescription()), path.string(), "export it again");
  }
}

}  // namespace spinetherm
