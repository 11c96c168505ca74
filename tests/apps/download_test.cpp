// SPDX-License-Identifier: Apache-2.0
#include "apps/io/download.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "apps/io/provenance.h"
#include "imaging/core/error.h"
#include "tests/cli/file_server.h"
#include "tests/cli/run_program.h"

namespace spinetherm {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::ThrowsMessage;

class Download : public ::testing::Test {
 protected:
  Download() {
    for (int n = 0; n < 40000; ++n) content += char('a' + (n * n / 7) % 26);
    std::ofstream(scratch / "original", std::ios::binary) << content;
    sha256 = sha256_of(scratch / "original");
    std::filesystem::remove(scratch / "original");
  }
  DownloadRequest request(const std::string& url) const {
    return {url, scratch / "ct/a.nii.gz", std::int64_t(content.size()), sha256};
  }
  void put(const std::string& name, const std::string& bytes) const {
    std::filesystem::create_directories(scratch / "ct");
    std::ofstream(scratch / name, std::ios::binary) << bytes;
  }
  std::string bytes_of(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(scratch / name, std::ios::binary).rdbuf();
    return text.str();
  }
  void expect_complete(const DownloadSummary& summary) const {
    EXPECT_EQ(summary.end, DownloadEnd::complete) << summary.message;
    EXPECT_TRUE(summary.usable());
    EXPECT_EQ(bytes_of("ct/a.nii.gz"), content);
    EXPECT_FALSE(std::filesystem::exists(scratch / "ct/a.nii.gz.part"));
  }
  std::string content, sha256;
  ScratchFolder scratch;
};

TEST_F(Download, AWholeFileWithProgress) {
  const FileServer server({content});
  std::vector<double> fractions;
  Progress progress;
  progress.report = [&](double fraction, std::string_view what) {
    EXPECT_THAT(std::string(what), HasSubstr("a.nii.gz"));
    fractions.push_back(fraction);
  };
  const DownloadSummary summary = download(request(server.address() + "x/a%20b"), progress);
  expect_complete(summary);
  EXPECT_EQ(summary.bytes_fetched, 40000);
  EXPECT_THAT(server.requests(), ElementsAre("/x/a%20b"));
  EXPECT_THAT(scratch.listing(), ElementsAre("ct/", "ct/a.nii.gz"));
  ASSERT_FALSE(fractions.empty());
  EXPECT_EQ(fractions.back(), 1);
}

TEST_F(Download, GoesOnWhereTheConnectionBrokeOff) {
  FileServer::Behaviour breaks{content};
  breaks.break_off_after = 15000;
  const FileServer first(breaks);
  const DownloadSummary broken = download(request(first.address()));
  EXPECT_EQ(broken.end, DownloadEnd::no_network);
  EXPECT_EQ(bytes_of("ct/a.nii.gz.part"), content.substr(0, 15000));
  EXPECT_FALSE(std::filesystem::exists(scratch / "ct/a.nii.gz"));

  const FileServer second({content});
  const DownloadSummary rest = download(request(second.address()));
  expect_complete(rest);
  EXPECT_EQ(rest.bytes_before, 15000);
  EXPECT_EQ(rest.bytes_fetched, 25000);
  EXPECT_EQ(second.sent(), 25000U);
  EXPECT_THAT(second.requests(), ElementsAre("/ bytes=15000-"));
}

TEST_F(Download, BeginsAgainWithAServerThatKnowsNoRanges) {
  put("ct/a.nii.gz.part", content.substr(0, 15000));
  FileServer::Behaviour whole{content};
  whole.ranges = false;
  const FileServer server(whole);
  const DownloadSummary summary = download(request(server.address()));
  expect_complete(summary);
  EXPECT_EQ(summary.bytes_before, 0);
}

TEST_F(Download, APartOfAnotherFileIsFetchedAnew) {
  put("ct/a.nii.gz.part", std::string(15000, 'z'));
  const FileServer server({content});
  const DownloadSummary summary = download(request(server.address()));
  expect_complete(summary);
  EXPECT_EQ(summary.bytes_fetched, 40000);
  EXPECT_THAT(server.requests(), ElementsAre("/ bytes=15000-", "/"));
}

TEST_F(Download, APartThatIsAlreadyWholeNeedsNoNetwork) {
  put("ct/a.nii.gz.part", content);
  const DownloadSummary summary = download(request(dead_address()));
  expect_complete(summary);
  EXPECT_EQ(summary.bytes_fetched, 0);
}

TEST_F(Download, AnotherFileIsNeverTaken) {
  std::string other = content;
  other[20000] = '!';
  const FileServer server({other});
  const DownloadSummary summary = download(request(server.address()));
  EXPECT_EQ(summary.end, DownloadEnd::damaged);
  EXPECT_FALSE(summary.usable());
  EXPECT_THAT(summary.message, HasSubstr(sha256));
  EXPECT_EQ(bytes_of("ct/a.nii.gz.bad"), other);
  EXPECT_THAT(scratch.listing(), ElementsAre("ct/", "ct/a.nii.gz.bad"));
}

TEST_F(Download, AFileOfAnotherSizeIsNeverTaken) {
  const FileServer shorter({content.substr(0, 30000)}), longer({content + content});
  for (const FileServer* server : {&shorter, &longer}) {
    EXPECT_EQ(download(request(server->address())).end, DownloadEnd::damaged);
    EXPECT_THAT(scratch.listing(), ElementsAre("ct/", "ct/a.nii.gz.bad"));
    EXPECT_LE(bytes_of("ct/a.nii.gz.bad").size(), content.size());
  }
}

TEST_F(Download, ADamagedFileMakesRoomForTheGoodOne) {
  put("ct/a.nii.gz", "damaged");
  const FileServer server({content});
  expect_complete(download(request(server.address())));
  EXPECT_EQ(bytes_of("ct/a.nii.gz.bad"), "damaged");
}

TEST_F(Download, WhatTheServerDoesNotHaveIsRefused) {
  FileServer::Behaviour none{content};
  none.status = 404;
  const FileServer server(none);
  const DownloadSummary summary = download(request(server.address()));
  EXPECT_EQ(summary.end, DownloadEnd::refused);
  EXPECT_THAT(summary.message, HasSubstr("404"));
  EXPECT_THAT(scratch.listing(), ElementsAre("ct/"));
}

TEST_F(Download, WithoutANetworkNothingIsLeftBehindAndWhatWasThereStays) {
  EXPECT_EQ(download(request(dead_address())).end, DownloadEnd::no_network);
  EXPECT_THAT(scratch.listing(), ElementsAre("ct/"));
  put("ct/a.nii.gz.part", content.substr(0, 100));
  EXPECT_EQ(download(request(dead_address())).end, DownloadEnd::no_network);
  EXPECT_EQ(bytes_of("ct/a.nii.gz.part"), content.substr(0, 100));
}

TEST_F(Download, FollowsARedirectButNotIntoTheFileSystem) {
  const FileServer server({content});
  FileServer::Behaviour away;
  away.redirect_to = server.address();
  const FileServer redirecting(away);
  expect_complete(download(request(redirecting.address())));

  std::filesystem::remove(scratch / "ct/a.nii.gz");
  put("secret", content);
  away.redirect_to = "file://" + (scratch / "secret").string();
  const FileServer luring(away);
  EXPECT_EQ(download(request(luring.address())).end, DownloadEnd::refused);
}

TEST_F(Download, FromAFolder) {
  put("disk", content);
  put("ct/a.nii.gz.part", content.substr(0, 15000));
  const DownloadSummary summary = download(request("file://" + (scratch / "disk").string()));
  expect_complete(summary);
  EXPECT_EQ(summary.bytes_fetched, 25000);
  std::filesystem::remove(scratch / "ct/a.nii.gz");
  EXPECT_EQ(download(request("file://" + (scratch / "none").string())).end, DownloadEnd::refused);
}

TEST_F(Download, AStopKeepsWhatHasCome) {
  FileServer::Behaviour stalls{content};
  stalls.stall_after = 15000;
  const FileServer server(stalls);
  std::stop_source stop;
  Progress progress;
  progress.stop = stop.get_token();
  progress.report = [&](double fraction, std::string_view) {
    if (fraction > 0.3) stop.request_stop();
  };
  EXPECT_EQ(download(request(server.address()), progress).end, DownloadEnd::cancelled);
  EXPECT_EQ(bytes_of("ct/a.nii.gz.part"), content.substr(0, 15000));
}

TEST_F(Download, TwoProgramsDoNotWriteOneFile) {
  put("ct/a.nii.gz.part", "");
  const int descriptor = open((scratch / "ct/a.nii.gz.part").c_str(), O_RDWR);
  ASSERT_EQ(flock(descriptor, LOCK_EX), 0);
  EXPECT_THAT([&] { download(request(dead_address())); },
              ThrowsMessage<IoError>(HasSubstr("another program is fetching")));
  close(descriptor);
}

TEST_F(Download, AFolderThatCannotBeMadeIsNamed) {
  put("file", "x");
  DownloadRequest r = request(dead_address());
  r.target = scratch / "file/ct/a.nii.gz";
  EXPECT_THAT([&] { download(r); }, ThrowsMessage<IoError>(HasSubstr("cannot be written")));
}

}  // namespace
}  // namespace spinetherm
