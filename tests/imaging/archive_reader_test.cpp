// SPDX-License-Identifier: Apache-2.0
#include "imaging/archive_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "imaging/core/error.h"
#include "tests/imaging/archive_fixture.h"
#include "tests/imaging/io_fixture.h"

namespace spinetherm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

class ArchiveReader : public FolderTest {
 protected:
  /// Packs the same three files in every format that is known, and hands over each archive.
  template <class Check>
  void in_every_format(const Check& check) {
    for (const char* name : {"a.tar", "a.tar.gz", "a.tar.xz", "a.zip"}) {
      SCOPED_TRACE(name);
      write_archive(folder / name, files, std::string(name) == "a.zip");
      check(folder / name);
    }
  }
  std::map<std::string, std::string> files{
      {"d/", ""}, {"d/first", "abc"}, {"d/second", std::string(200000, 'x') + "end"}, {"empty", ""}};
};

TEST_F(ArchiveReader, IsToldByItsFirstBytesNotByItsName) {
  in_every_format([&](const auto& path) { EXPECT_TRUE(is_archive(path)); });
  std::filesystem::copy_file(folder / "a.zip", folder / "a.dcm");
  EXPECT_TRUE(is_archive(folder / "a.dcm"));
  std::filesystem::copy_file(folder / "a.tar.gz", folder / "a.nii.gz");
  EXPECT_FALSE(is_archive(folder / "a.nii.gz")) << "gzip alone is an image";
  put(folder / "text.zip", "PK is what this text begins with");
  EXPECT_FALSE(is_archive(folder / "text.zip"));
  put(folder / "empty.tar", "");
  EXPECT_FALSE(is_archive(folder / "empty.tar"));
  EXPECT_FALSE(is_archive(folder));
  EXPECT_FALSE(is_archive(folder / "none.zip"));
}

TEST_F(ArchiveReader, HandsOverEveryFileWithItsBytesAndNoFolder) {
  in_every_format([&](const auto& path) {
    std::map<std::string, std::string> found;
    for_each_archive_member(path, [&](ArchiveMember& member) {
      std::vector<char> bytes;
      while (member.read(bytes, 1000) > 0) continue;
      EXPECT_EQ(member.size(), bytes.size());
      found[member.name()] = std::string(bytes.begin(), bytes.end());
      return true;
    });
    auto expected = files;
    expected.erase("d/");
    EXPECT_EQ(found, expected);
  });
}

TEST_F(ArchiveReader, AppendsAsMuchAsIsAskedForAndSkipsTheRest) {
  in_every_format([&](const auto& path) {
    std::vector<std::string> heads;
    for_each_archive_member(path, [&](ArchiveMember& member) {
      std::vector<char> bytes{'>'};
      const std::size_t got = member.read(bytes, 2);
      EXPECT_EQ(bytes.size(), 1 + got);
      heads.emplace_back(bytes.begin(), bytes.end());
      return true;
    });
    EXPECT_THAT(heads, ElementsAre(">ab", ">xx", ">"));
  });
}

TEST_F(ArchiveReader, StopsWhenTheVisitorSaysSo) {
  in_every_format([&](const auto& path) {
    int visits = 0;
    for_each_archive_member(path, [&](ArchiveMember&) {
      ++visits;
      return false;
    });
    EXPECT_EQ(visits, 1);
  });
}

TEST_F(ArchiveReader, MissingTruncatedAndForeignFilesAreOneError) {
  const auto read_all = [](const std::filesystem::path& path) {
    for_each_archive_member(path, [](ArchiveMember& member) {
      std::vector<char> bytes;
      member.read(bytes, 1 << 20);
      return true;
    });
  };
  EXPECT_THROW(read_all(folder / "none.zip"), IoError);
  put(folder / "text.zip", std::string(2000, 'x'));
  EXPECT_THAT([&] { read_all(folder / "text.zip"); },
              ThrowsMessage<IoError>(HasSubstr("archive is damaged")));
  files["d/second"].clear();
  for (unsigned n = 0; n < 100000; ++n) files["d/second"] += char(n * n >> 7);  // does not pack to nothing
  in_every_format([&](const auto& path) {
    const std::string whole = bytes_of(path);
    put(path, whole.substr(0, whole.size() / 2));
    EXPECT_THAT([&] { read_all(path); }, ThrowsMessage<IoError>(HasSubstr("archive is damaged")));
  });
}

}  // namespace
}  // namespace spinetherm
