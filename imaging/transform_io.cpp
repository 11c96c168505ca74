// SPDX-License-Identifier: Apache-2.0
#include "imaging/transform_io.h"

#include <H5Cpp.h>
#include <fmt/format.h>
#include <itkAffineTransform.h>
#include <itkCompositeTransform.h>
#include <itkHDF5TransformIO.h>
#include <itkMatlabTransformIO.h>
#include <itkTransformFileReader.h>
#include <itkTransformFileWriter.h>
#include <itkTxtTransformIO.h>

#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>

#include "imaging/core/error.h"
#include "imaging/write.h"

namespace spinetherm {
namespace {

namespace fs = std::filesystem;
using Transform = itk::Transform<double, 3, 3>;
using TransformIO = itk::TransformIOBaseTemplate<double>;

constexpr std::string_view kTextMagic = "#Insight Transform File";
constexpr std::string_view kHdfMagic = "\x89HDF\r\n\x1a\n";

std::string head_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string head(kTextMagic.size(), '\0');
  in.read(head.data(), std::streamsize(head.size()));
  head.resize(std::size_t(in.gcount()));
  return head;
}

/// What ITK must read the file with, by its first bytes: an .h5 that holds text is text.
TransformIO::Pointer reader_for(const fs::path& path) {
  std::error_code ec;
  if (!fs::exists(path, ec)) throw IoError("does not exist", path.string(), "check the path");
  if (!fs::is_regular_file(path, ec)) throw IoError("is not a file", path.string(), "name a transform file");
  const std::string head = head_of(path);
  if (head.starts_with(kTextMagic)) return itk::TxtTransformIOTemplate<double>::New().GetPointer();
  if (head.starts_with(kHdfMagic)) return itk::HDF5TransformIOTemplate<double>::New().GetPointer();
  if (path.extension() == ".mat" && head.size() >= 20)
    return itk::MatlabTransformIOTemplate<double>::New().GetPointer();
  throw IoError("is not an ITK transform file", path.string(),
                "name a .tfm, .txt, .h5 or .mat file that ITK or 3D Slicer wrote");
}

TransformIO::Pointer writer_for(const fs::path& path) {
  const std::string suffix = path.extension().string();
  if (suffix == ".tfm" || suffix == ".txt") return itk::TxtTransformIOTemplate<double>::New().GetPointer();
  if (suffix == ".h5" || suffix == ".hdf5") return itk::HDF5TransformIOTemplate<double>::New().GetPointer();
  if (suffix == ".mat") return itk::MatlabTransformIOTemplate<double>::New().GetPointer();
  throw IoError("cannot be written under this suffix", path.string(), "use .tfm, .txt, .h5 or .mat");
}

/// ITK takes a transform whose lines are cut off as an identity: each must have both lists of numbers, and as
/// many parameters as its kind has.
bool text_is_complete(const fs::path& path, const Transform* transform) {
  std::ifstream in(path);
  std::size_t kinds = 0, fixed = 0;
  std::vector<std::size_t> counts;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("Transform:") && line.find("Composite") == std::string::npos) ++kinds;
    if (line.starts_with("FixedParameters:")) ++fixed;
    if (line.starts_with("Parameters:")) {
      std::istringstream words(line.substr(line.find(':') + 1));
      counts.push_back(std::size_t(std::distance(std::istream_iterator<std::string>(words), {})));
    }
  }
  if (counts.size() != kinds || fixed != kinds) return false;
  std::size_t total = 0;
  for (const auto n : counts) total += n;
  if (const auto* composite = dynamic_cast<const itk::CompositeTransform<double, 3>*>(transform)) {
    std::size_t expected = 0;  // of every part, where the composite itself counts only those to be optimised
    for (itk::SizeValueType n = 0; n < composite->GetNumberOfTransforms(); ++n)
      expected += composite->GetNthTransformConstPointer(n)->GetNumberOfParameters();
    return total == expected && composite->GetNumberOfTransforms() == kinds;
  }
  return total == transform->GetNumberOfParameters();
}

Transform::Pointer read_any(const fs::path& path) {
  H5::Exception::dontPrint();  // HDF5 prints its error stack on stderr otherwise
  const auto broken = [&](const std::string& why) {
    return IoError("transform cannot be read" + (why.empty() ? "" : " [" + why + "]"), path.string(),
                   "export it again");
  };
  try {
    const auto reader = itk::TransformFileReaderTemplate<double>::New();
    reader->SetTransformIO(reader_for(path));
    reader->SetFileName(path.string());
    reader->Update();
    const auto* list = reader->GetTransformList();
    if (list->empty()) throw broken("it is empty");
    if (list->size() > 1)
      throw IoError(fmt::format("holds {} transforms", list->size()), path.string(),
                    "save one composite transform");
    auto* transform = dynamic_cast<Transform*>(list->front().GetPointer());
    if (!transform)
      throw IoError(
          fmt::format("is a {}, not a transform of three dimensions", list->front()->GetNameOfClass()),
          path.string(), "name a 3-D transform");
    if (head_of(path).starts_with(kTextMagic) && !text_is_complete(path, transform))
      throw broken("truncated");
    return transform;
  } catch (const itk::ExceptionObject& e) {
    std::string why = e.GetDescription();
    if (const auto end = why.find("): "); why.starts_with("itk::ERROR") && end != std::string::npos)
      why = why.substr(end + 3);
    throw broken(why.substr(0, why.find('\n')));
  } catch (const Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw broken("it declares more numbers than memory holds");
  } catch (const std::exception& e) {
    throw broken(e.what());
  } catch (const H5::Exception& e) {
    throw broken(e.getDetailMsg());
  }
}

void write_any(const fs::path& path, const Transform* transform) {
  writer_for(path);  // a bad suffix is refused before anything is written
  write_renamed(path, [&](const fs::path& temporary) {
    try {
      // One writer a file: ITK's writer keeps the format of its first file.
      const auto writer = itk::TransformFileWriterTemplate<double>::New();
      writer->SetTransformIO(writer_for(path));
      writer->SetFileName(temporary.string());
      writer->SetInput(transform);
      writer->Update();
    } catch (const itk::ExceptionObject& e) {
      throw IoError(fmt::format("cannot be written [{}]", e.GetDescription()), path.string(),
                    "check the folder and the free space");
    } catch (const H5::Exception& e) {
      throw IoError(fmt::format("cannot be written [{}]", e.getDetailMsg()), path.string(),
                    "check the folder and the free space");
    }
  });
}

Eigen::Vector3d apply(const Transform* transform, const Eigen::Vector3d& x) {
  itk::Point<double, 3> point;
  for (unsigned a = 0; a < 3; ++a) point[a] = x[a];
  const auto y = transform->TransformPoint(point);
  return {y[0], y[1], y[2]};
}

struct Linear {
  Eigen::Matrix3d matrix;
  Eigen::Vector3d offset;
};

Linear linear_part(const Transform* transform) {
  Linear out;
  out.offset = apply(transform, Eigen::Vector3d::Zero());
  for (int a = 0; a < 3; ++a) out.matrix.col(a) = apply(transform, Eigen::Vector3d::Unit(a)) - out.offset;
  return out;
}

/// Why a linear transform is no rigid motion; empty when it is one.
std::string why_not_rigid(const Linear& linear) {
  if (!linear.matrix.allFinite() || !linear.offset.allFinite()) return "holds numbers that are not finite";
  // 1e-4 moves a point 500 mm off the centre by 0.05 mm.
  if ((linear.matrix.transpose() * linear.matrix - Eigen::Matrix3d::Identity()).cwiseAbs().maxCoeff() > 1e-4)
    return "scales or shears";
  if (linear.matrix.determinant() < 0) return "reflects: left becomes right";
  return "";
}

Rigid rigid_of(const Linear& linear) {
  return {Eigen::Quaterniond(linear.matrix).normalized(), linear.offset};
}

std::optional<Eigen::Vector3d> invert(const Transform* transform, const Eigen::Vector3d& target) {
  Eigen::Vector3d x = target;
  Eigen::Vector3d residual = apply(transform, x) - target;
  constexpr double h = 0.05;  // [mm], below the voxels of any field, above rounding
  for (int n = 0; n < 100 && residual.norm() > 1e-6; ++n) {
    Eigen::Matrix3d jacobian;
    for (int a = 0; a < 3; ++a)
      jacobian.col(a) = (apply(transform, x + h * Eigen::Vector3d::Unit(a)) -
                         apply(transform, x - h * Eigen::Vector3d::Unit(a))) /
                        (2 * h);
    const Eigen::Vector3d step = jacobian.fullPivLu().solve(residual);
    if (!step.allFinite()) return std::nullopt;
    double length = 1;  // halved until the residual falls: a spline may bend more than its slope tells
    Eigen::Vector3d next = x - step, left = apply(transform, next) - target;
    while (!(left.norm() < residual.norm()) && length > 1e-3) {
      length /= 2;
      next = x - length * step;
      left = apply(transform, next) - target;
    }
    if (!(left.norm() < residual.norm())) break;
    x = next;
    residual = left;
  }
  if (!(residual.norm() < 1e-3)) return std::nullopt;
  return x;
}

}  // namespace

void write_transform(const fs::path& path, const Rigid& moving_from_fixed) {
  const Eigen::Matrix3d rotation = moving_from_fixed.rotation.normalized().toRotationMatrix();
  const auto transform = itk::AffineTransform<double, 3>::New();
  itk::Matrix<double, 3, 3> matrix;
  itk::Vector<double, 3> translation;
  for (int r = 0; r < 3; ++r) {
    for (int c = 0; c < 3; ++c) matrix(unsigned(r), unsigned(c)) = rotation(r, c);
    translation[unsigned(r)] = moving_from_fixed.translation_mm[r];
  }
  transform->SetMatrix(matrix);
  transform->SetTranslation(translation);
  write_any(path, transform);
}

Rigid read_rigid(const fs::path& path) {
  const Transform::Pointer transform = read_any(path);
  if (!transform->IsLinear())
    throw IoError(fmt::format("is a {}, which bends", transform->GetNameOfClass()), path.string(),
                  "a rigid transform is needed here");
  const Linear linear = linear_part(transform);
  if (const std::string why = why_not_rigid(linear); !why.empty())
    throw IoError(fmt::format("is a {} that {}", transform->GetNameOfClass(), why), path.string(),
                  "a rigid transform is needed here");
  return rigid_of(linear);
}

std::vector<Eigen::Vector3d> map_points(const fs::path& path, const std::vector<Eigen::Vector3d>& points_mm,
                                        bool inverse) {
  const Transform::Pointer transform = read_any(path);
  std::vector<Eigen::Vector3d> out;
  std::optional<Linear> back;
  if (inverse && transform->IsLinear()) {
    const Linear linear = linear_part(transform);
    if (!(std::abs(linear.matrix.determinant()) > 1e-12))
      throw IoError("transform has no inverse", path.string(), "its matrix is singular");
    back = Linear{linear.matrix.inverse(), linear.offset};
  }
  for (const auto& x : points_mm) {
    if (!x.allFinite()) throw IoError("a point is not finite", path.string(), "correct the points");
    if (!inverse)
      out.push_back(apply(transform, x));
    else if (back)
      out.push_back(back->matrix * (x - back->offset));
    else if (const auto y = invert(transform, x))
      out.push_back(*y);
    else
      throw IoError(fmt::format("transform has no inverse at {:.2f}, {:.2f}, {:.2f} mm", x[0], x[1], x[2]),
                    path.string(), "use the transform of the other direction");
  }
  return out;
}

bool is_transform_file(const fs::path& path) {
  std::error_code ec;
  if (!fs::is_regular_file(path, ec)) return false;
  const std::string head = head_of(path);
  return head.starts_with(kTextMagic) || head.starts_with(kHdfMagic) || path.extension() == ".mat";
}

TransformInfo describe_transform(const fs::path& path) {
  const Transform::Pointer transform = read_any(path);
  TransformInfo info;
  info.kind = transform->GetNameOfClass();
  info.linear = transform->IsLinear();
  if (info.linear) {
    const Linear linear = linear_part(transform);
    info.rigid = why_not_rigid(linear).empty();
    if (info.rigid) info.motion = rigid_of(linear);
  }
  return info;
}

void convert_transform(const fs::path& in, const fs::path& out) { write_any(out, read_any(in)); }

}  // namespace spinetherm
