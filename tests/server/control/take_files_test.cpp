// What takes are made of, in a whole engine: WAV and FLAC, parts, names from templates, what the files say of
// themselves, and repair in every media root.
#include <algorithm>
#include <set>
#include <string>

#include "server/media/decode.hpp"
#include "server/media/file_notes.hpp"
#include "server/media/take_header.hpp"
#include "tests/server/control/rig.hpp"

using namespace continuo;
using namespace continuo::control::test;
using Take = v1::GetStatusResponse::Take;

namespace {

/// Exact in 16 bits.
float signal(std::uint32_t channel, std::int64_t frame) {
  return static_cast<float>((frame * 64 + channel) * 7919 % 60013 - 30000) / 32768.0f;
}

struct Files : Rig {
  explicit Files(std::uint32_t channels = 2) : Rig(options(channels)) { hardware->set_input(signal); }
  static RigOptions options(std::uint32_t channels) {
    RigOptions options;
    options.in = channels;
    return options;
  }
  v1::ApplyResponse start(const std::string& more) {
    return applied("{'operations':[{'recordStart':{'nodes':['in']" + more + "}}]}");
  }
  Result<v1::ApplyResponse> asked(const std::string& more) {
    return apply("{'operations':[{'recordStart':{'nodes':['in']" + more + "}}]}");
  }
  /// A take of so many frames that is closed.
  Take closed(const v1::ApplyResponse& started) {
    Take found;
    REQUIRE(until([&] {
      const auto now = status();
      for (const Take& take : now.takes()) {
        if (take.id() == started.take_ids(0) && !take.recording()) found = take;
      }
      return found.id() != 0;
    }));
    return found;
  }
  std::vector<float> read(const std::string& name) {
    auto decoder = media::Decoder::open(take_file(name));
    REQUIRE(decoder);
    std::vector<float> samples(static_cast<std::size_t>((*decoder)->info().frames) * (*decoder)->info().channels);
    (*decoder)->read(samples.data(), static_cast<std::size_t>((*decoder)->info().frames));
    return samples;
  }
  void check_input(const std::vector<float>& samples, std::uint32_t channels, std::int64_t from) {
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const float expected =
          signal(static_cast<std::uint32_t>(i % channels), from + static_cast<std::int64_t>(i / channels));
      if (samples[i] != expected) FAIL("sample ", i);
    }
  }
};

}  // namespace

TEST_CASE("take files: the ending or the format choose WAV or FLAC, and what cannot be names its field") {
  Files rig(9);
  REQUIRE(rig.load(
      "{'format':1,'name':'tour','nodes':[{'id':'a','type':'track','params':{'channels':9},'children':["
      "{'id':'r','type':'recorder','params':{'format':'flac16'}}]}]}"));
  const auto error = [&](const std::string& more) {
    const auto answer = rig.asked(more);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().kind == ErrorKind::invalid_argument);
    return answer.error().field;
  };
  const std::string field = "operations[0].record_start.";
  CHECK(error(",'file':'takes:a.flac'") == field + "file");  // nine channels
  CHECK(error(",'format':'TAKE_FORMAT_FLAC24'") == field + "format");
  CHECK(error(",'file':'takes:a.wav','format':'TAKE_FORMAT_FLAC24'") == field + "file");
  CHECK(error(",'file':'takes:a.flac','format':'TAKE_FORMAT_FLOAT32'") == field + "file");
  CHECK(error(",'format':'TAKE_FORMAT_UNSPECIFIED'") == field + "format");
  CHECK(error(",'splitSeconds':0.5") == field + "split_seconds");
  CHECK(error(",'splitSeconds':86401") == field + "split_seconds");
  CHECK(error(",'splitBytes':'999999'") == field + "split_bytes");
  CHECK(error(",'splitBytes':'1100000'") == field + "split_bytes");  // less than a second of nine float channels
  CHECK(error(",'splitBytes':'1125899906842625'") == field + "split_bytes");
  const auto recorder = rig.apply("{'operations':[{'recordStart':{'nodes':['a/r']}}]}");
  REQUIRE_FALSE(recorder);
  CHECK(recorder.error().field == field + "nodes");

  // One file a channel: FLAC of any number.
  const auto split = rig.start(",'file':'takes:x-{channel}-y.flac','splitChannels':true,'frames':'5000'");
  REQUIRE(split.takes_size() == 9);
  CHECK(split.takes(8) == "takes:x-ch09-y.flac");
  rig.closed(split);
  for (int c = 0; c < 9; ++c) {
    const auto samples = rig.read(split.takes(c));
    REQUIRE(samples.size() == 5000);
    for (std::size_t i = 0; i < samples.size(); ++i)
      REQUIRE(samples[i] == signal(static_cast<std::uint32_t>(c), split.engine_frame() + static_cast<std::int64_t>(i)));
  }
  Files stereo;
  for (const char* more : {",'file':'takes:a.flac'", ",'file':'takes:b.FLAC','format':'TAKE_FORMAT_FLAC16'",
                           ",'format':'TAKE_FORMAT_FLAC24'", ",'file':'takes:c.wav','format':'TAKE_FORMAT_PCM16'"}) {
    CAPTURE(more);
    const auto started = stereo.start(std::string(more) + ",'frames':'5000'");
    const Take take = stereo.closed(started);
    CHECK(take.error().empty());
    CHECK(take.frames() == 5000);
    stereo.check_input(stereo.read(take.file()), 2, started.engine_frame());
    CHECK((take.file().find("wav") == std::string::npos) == (std::string(more).find("wav") == std::string::npos));
  }
}

TEST_CASE("take files: parts join to the sample, are named as they come, and each says where it belongs") {
  for (const std::string ending : {".wav", ".flac"}) {
    CAPTURE(ending);
    Files rig;
    rig.applied("{'operations':[{'locate':{'timelineFrame':'480000'}},{'play':{}}]}");
    const auto started = rig.start(",'file':'takes:day/a" + ending + "','splitSeconds':1.25,'frames':'160000'");
    REQUIRE(started.takes_size() == 1);
    CHECK(started.takes(0) == "takes:day/a-001" + ending);
    CHECK(rig.status().takes(0).file() == "takes:day/a-001" + ending);
    REQUIRE(rig.until([&] { return rig.status().takes(0).files_size() == 2; }));  // while it runs
    const Take take = rig.closed(started);
    CHECK(take.error().empty());
    CHECK(take.frames() == 160'000);
    REQUIRE(take.files_size() == 3);
    REQUIRE(take.has_time_reference());
    CHECK(take.time_reference() > 480'000);
    CHECK(take.began().size() >= 20);
    std::vector<float> all;
    for (int i = 0; i < 3; ++i) {
      CHECK(take.files(i) == "takes:day/a-00" + std::to_string(i + 1) + ending);
      const auto notes = media::read_notes(rig.take_file(take.files(i)));
      REQUIRE(notes.broadcast);
      CHECK(static_cast<std::int64_t>(notes.broadcast->time_reference) ==
            take.time_reference() + static_cast<std::int64_t>(all.size() / 2));
      CHECK(notes.broadcast->originator.starts_with("Continuo "));
      CHECK(notes.broadcast->description.starts_with("in"));
      CHECK(notes.broadcast->originator_reference.ends_with("-p00" + std::to_string(i + 1)));
      const auto part = rig.read(take.files(i));
      CHECK(part.size() == (i < 2 ? 2 * 60'000 : 2 * 40'000));
      all.insert(all.end(), part.begin(), part.end());
    }
    rig.check_input(all, 2, started.engine_frame());
    CHECK(std::filesystem::directory_iterator(rig.take_file("takes:day")) != std::filesystem::directory_iterator{});
    for (const auto& entry : std::filesystem::directory_iterator(rig.take_file("takes:day")))
      CHECK(entry.path().extension() == ending);
  }
}

TEST_CASE("take files: a part by size, and the answer to a stop names all of them") {
  Files rig;
  const auto started = rig.start(",'file':'takes:a.wav','splitBytes':'1000000'");
  REQUIRE(rig.until([&] { return rig.status().takes(0).files_size() == 3; }));
  const auto stopped = rig.applied("{'operations':[{'recordStop':{}}]}");
  REQUIRE(stopped.closed_takes_size() == 1);
  const Take& take = stopped.closed_takes(0);
  REQUIRE(take.files_size() >= 3);
  CHECK(stopped.takes_size() >= 3);
  std::int64_t frames = 0;
  for (int i = 0; i < take.files_size(); ++i) {
    const auto bytes = std::filesystem::file_size(rig.take_file(take.files(i)));
    CHECK(bytes <= 1'000'000);
    if (i + 1 < take.files_size()) CHECK(bytes > 1'000'000 - 16);
    frames += static_cast<std::int64_t>(rig.read(take.files(i)).size() / 2);
  }
  CHECK(frames == take.frames());
  CHECK(stopped.take_ids(0) == started.take_ids(0));
}

TEST_CASE("take files: a recorder's own template; unknown fields are refused by name; nothing leaves the take folder") {
  Files rig;
  REQUIRE(rig.load(
      "{'format':1,'name':'Tour: 1/2','nodes':[{'id':'a','type':'track','params':{'channels':2},'children':["
      "{'id':'vox','type':'recorder','params':{'format':'flac24','file_template':'{session}/{name}-{take}'}}]}]}"));
  const std::string start = "{'operations':[{'recordStart':{'nodes':['a/vox'],'frames':'1000'}}]}";
  const auto first = rig.applied(start);
  CHECK(first.takes(0) == "takes:Tour_ 1_2/vox-001.flac");
  rig.closed(first);
  CHECK(rig.applied(start).takes(0) == "takes:Tour_ 1_2/vox-002.flac");
  const auto set = [&](const std::string& text) {
    return rig.apply("{'operations':[{'setParams':{'path':'a/vox','values':{'file_template':'" + text + "'}}}]}");
  };
  for (const char* wrong : {"{who}-{take}", "{take", "a}", "../{take}", "/abs", "a/../b", ".hidden"}) {
    CAPTURE(wrong);
    const auto answer = set(wrong);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().kind == ErrorKind::invalid_argument);
    CHECK(answer.error().field == "operations[0].set_params.values.file_template");
    if (std::string(wrong).starts_with("{who}")) CHECK(answer.error().message.find("{who}") != std::string::npos);
  }
  REQUIRE(set("x-{channel}-{n}"));
  REQUIRE(rig.until([&] { return !rig.status().takes(1).recording(); }));
  const auto split =
      rig.applied("{'operations':[{'recordStart':{'nodes':['a/vox'],'frames':'1000','splitChannels':true}}]}");
  REQUIRE(split.takes_size() == 2);
  CHECK(split.takes(1) == "takes:x-ch02-1.flac");
  rig.closed(split);
  CHECK(rig.applied(start).takes(0) == "takes:x-2.flac");  // 1 is that take's, whatever its files are
  REQUIRE(set(""));  // back to the configuration's
  REQUIRE(rig.until([&] { return !rig.status().takes(3).recording(); }));
  CHECK(rig.applied(start).takes(0).starts_with("takes:a_vox-20"));
}

TEST_CASE("take files: what a kill left open is repaired in every media root, and told by its root") {
  Rig rig;
  const auto make = [&](const std::filesystem::path& file) {
    const media::WavFormat format{2, 48'000, media::SampleFormat::pcm16};
    std::vector<std::byte> bytes =
        media::take_header(format, media::bext_chunk({}, format, media::Dither::none), {}, 1, 0, false);
    media::encode_samples(format.format, std::vector<float>(2000, 0.25f), bytes);
    std::filesystem::create_directories(file.parent_path());
    FILE* out = std::fopen(file.c_str(), "wb");
    REQUIRE(std::fwrite(bytes.data(), 1, bytes.size(), out) == bytes.size());
    std::fclose(out);
  };
  make(rig.folder.path() / "media/day/b.wav.part");
  make(rig.folder.path() / "takes/a.wav.part");
  rig.restart();
  std::set<std::string> files;
  REQUIRE(rig.until([&] {
    const auto now = rig.status();
    for (const Take& take : now.takes()) {
      if (take.recovered() && take.frames() == 1000) files.insert(take.file());
    }
    return files.size() == 2;
  }));
  CHECK(files == std::set<std::string>{"media:day/b.wav", "takes:a.wav"});
  CHECK(std::filesystem::exists(rig.folder.path() / "media/day/b.wav"));
}
