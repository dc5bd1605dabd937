#include "tests/server/control/rig.hpp"

#include <google/protobuf/util/json_util.h>
#include <sndfile.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace continuo::control::test {
namespace {
using namespace std::chrono_literals;
constexpr auto kBound = 20s;  // of a wait that should take milliseconds
}  // namespace

TempFolder::TempFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "continuo-control-XXXXXX").string();
  REQUIRE(mkdtemp(name.data()) != nullptr);
  path_ = name;
}

TempFolder::~TempFolder() {
  std::error_code none;
  std::filesystem::remove_all(path_, none);
}

Rig::Rig(RigOptions options) : options_(std::move(options)), work_(io.get_executor()) {
  std::filesystem::create_directories(folder.path() / "media");
  hardware = std::make_shared<device::SteppedHardware>(
      device::stepped_info("stepped", options_.in, options_.out, options_.rate_hz));
  hardware->set_present(options_.present);
  make();
}

void Rig::make() {
  EngineConfig config;
  config.device.name = options_.wanted;
  config.media_roots["media"] = folder.path() / "media";
  config.take_folder = folder.path() / "takes";
  config.state_folder = folder.path() / "state";
  config.output_labels = {"left", "right"};
  config.device_retry = options_.retry;
  config.media_retry = options_.media_retry;
  config.ceiling_db = options_.ceiling_db;
  config.take_file = options_.take_file;
  if (options_.second) config.second_take_folder = folder.path() / "takes2";
  if (options_.adjust) options_.adjust(config);
  if (options_.own_utc) {
    config.utc_ns = [hw = hardware, rate = options_.rate_hz] {
      return kUtcBegin * 1'000'000'000 + static_cast<std::int64_t>(static_cast<double>(hw->frames()) * 1e9 / rate);
    };
  }
  std::vector<std::shared_ptr<device::SteppedHardware>> all{hardware};
  all.insert(all.end(), options_.more.begin(), options_.more.end());
  engine = std::make_unique<Engine>(io, std::move(config), std::make_unique<device::SteppedFactory>(all));
  REQUIRE(answer<std::monostate>([&](auto done) { engine->start(std::move(done)); }));
}

Rig::~Rig() { engine.reset(); }

bool Rig::until(const std::function<bool()>& ready) {
  const auto bound = std::chrono::steady_clock::now() + kBound;
  while (!ready()) {
    if (std::chrono::steady_clock::now() > bound) return false;
    if (stepping) {
      hardware->step(buffer);
      for (const auto& other : options_.more) other->step(buffer);
    }
    io.run_one_for(1ms);
    io.poll();
  }
  return true;
}

void Rig::turns(int count) {
  for (int i = 0; i < count; ++i) {
    if (stepping) hardware->step(buffer);
    io.run_one_for(1ms);
    io.poll();
  }
}

v1::ApplyRequest Rig::request(std::string json) {
  std::ranges::replace(json, '\'', '"');
  v1::ApplyRequest request;
  const auto parsed = google::protobuf::util::JsonStringToMessage(json, &request);
  REQUIRE_MESSAGE(parsed.ok(), parsed.ToString(), " in ", json);
  return request;
}

Result<v1::ApplyResponse> Rig::apply(v1::ApplyRequest request) {
  return answer<v1::ApplyResponse>([&](auto done) { engine->apply(std::move(request), std::move(done)); });
}

v1::ApplyResponse Rig::applied(const std::string& json) {
  v1::ApplyRequest wanted = request(json);
  if (!wanted.has_max_wait_ms()) wanted.set_max_wait_ms(60'000);  // a loaded machine, a sanitizer
  auto response = apply(std::move(wanted));
  REQUIRE_MESSAGE(response, response.error().field, ": ", response.error().message);
  REQUIRE(response->outcome() == v1::ApplyResponse::OUTCOME_APPLIED);
  return *response;
}

Result<v1::LoadSessionResponse> Rig::load(const std::string& json, const std::string& base) {
  LoadRequest request;
  request.json = json;
  std::ranges::replace(request.json, '\'', '"');
  request.base = base;
  request.client = "test";
  return answer<v1::LoadSessionResponse>([&](auto done) { engine->load(std::move(request), std::move(done)); });
}

std::string Rig::session() {
  auto text = answer<SessionText>([&](auto done) { engine->get_session(std::move(done)); });
  REQUIRE(text);
  return *text->json;
}

v1::GetStatusResponse Rig::status() {
  auto status = answer<v1::GetStatusResponse>([&](auto done) { engine->status(std::move(done)); });
  REQUIRE(status);
  return *status;
}

std::shared_ptr<Feed<v1::WatchResponse>> Rig::watch(v1::WatchRequest request) {
  auto feed =
      answer<std::shared_ptr<Feed<v1::WatchResponse>>>([&](auto done) { engine->watch(request, std::move(done)); });
  REQUIRE(feed);
  return *feed;
}

std::shared_ptr<Feed<v1::MeterFrame>> Rig::meters(v1::WatchMetersRequest request) {
  auto feed =
      answer<std::shared_ptr<Feed<v1::MeterFrame>>>([&](auto done) { engine->watch_meters(request, std::move(done)); });
  REQUIRE_MESSAGE(feed, feed.error().message);
  return *feed;
}

void Rig::shutdown() {
  REQUIRE(answer<std::monostate>([&](auto done) { engine->shutdown(std::move(done)); }));
}

void Rig::restart() {
  engine.reset();
  io.poll();
  make();
}

void Rig::write_wav(const std::string& name, std::uint32_t channels, std::uint32_t rate_hz,
                    const std::vector<float>& samples) {
  SF_INFO info{};
  info.channels = static_cast<int>(channels);
  info.samplerate = static_cast<int>(rate_hz);
  info.format = SF_FORMAT_WAV | SF_FORMAT_FLOAT;
  SNDFILE* file = sf_open((folder.path() / "media" / name).c_str(), SFM_WRITE, &info);
  REQUIRE(file != nullptr);
  const auto frames = static_cast<sf_count_t>(samples.size() / channels);
  REQUIRE(sf_writef_float(file, samples.data(), frames) == frames);
  sf_close(file);
}

std::vector<float> Rig::read_wav(const std::filesystem::path& path, std::uint32_t& channels) const {
  SF_INFO info{};
  SNDFILE* file = sf_open(path.c_str(), SFM_READ, &info);
  REQUIRE_MESSAGE(file != nullptr, path.string());
  channels = static_cast<std::uint32_t>(info.channels);
  std::vector<float> samples(static_cast<std::size_t>(info.frames * info.channels));
  REQUIRE(sf_readf_float(file, samples.data(), info.frames) == info.frames);
  sf_close(file);
  return samples;
}

std::filesystem::path Rig::take_file(const std::string& name) const {
  REQUIRE(name.starts_with("takes:"));
  return folder.path() / "takes" / name.substr(6);
}

std::vector<float> ramp_signal(std::uint32_t channels, std::size_t frames) {
  std::vector<float> samples;
  samples.reserve(frames * channels);
  for (std::size_t i = 0; i < frames; ++i) {
    for (std::uint32_t c = 0; c < channels; ++c) {
      const auto value = static_cast<std::int32_t>((i * channels + c) * 7919 % 60013) - 30000;
      samples.push_back(static_cast<float>(value) / 65536.0f);
    }
  }
  return samples;
}

}  // namespace continuo::control::test
