// THREAD: test - an engine on a stepped device: sound advances when the test says so
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "doctest/doctest.h"
#include "server/control/engine.hpp"
#include "server/device/stepped_device.hpp"

namespace continuo::control::test {

/// A folder that goes with its test.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline constexpr std::int64_t kUtcBegin = 1'795'176'000;  // 2026-11-20T12:00:00Z, seconds since 1970

struct RigOptions {
  std::uint32_t in = 2, out = 2;
  double rate_hz = 48'000.0;
  bool present = true;
  std::chrono::milliseconds retry{20};
  std::chrono::milliseconds media_retry{2000};
  std::string wanted;
  double ceiling_db = 0.0;
  bool own_utc = false;  // UTC goes on with the device's frames, from kUtcBegin at its frame 0
  std::vector<std::shared_ptr<device::SteppedHardware>> more;
  media::MakeTakeFile take_file = {};  // under the takes
  bool second = false;                 // takes go to "takes2" as well
  std::function<void(EngineConfig&)> adjust = {};
};

class Rig {
 public:
  explicit Rig(RigOptions options = {});
  ~Rig();

  /// Steps the device (while `stepping`) and the strand until `ready`; false after a bound that only a broken engine
  /// reaches.
  bool until(const std::function<bool()>& ready);
  /// The answer of an asynchronous call.
  template <class T>
  Result<T> answer(const std::function<void(Done<T>)>& call) {
    std::optional<Result<T>> result;
    call([&](Result<T> got) { result.emplace(std::move(got)); });
    REQUIRE(until([&] { return result.has_value(); }));
    return std::move(*result);
  }
  /// A few turns of the strand with no answer to wait for.
  void turns(int count = 50);

  /// ApplyRequest as JSON: {"operations":[...]}; single quotes stand for double ones.
  static v1::ApplyRequest request(std::string json);
  Result<v1::ApplyResponse> apply(const std::string& json) { return apply(request(json)); }
  Result<v1::ApplyResponse> apply(v1::ApplyRequest request);
  v1::ApplyResponse applied(const std::string& json);  // REQUIREs APPLIED
  Result<v1::LoadSessionResponse> load(const std::string& json, const std::string& base = "media:");
  std::string session();
  v1::GetStatusResponse status();
  std::shared_ptr<Feed<v1::WatchResponse>> watch(v1::WatchRequest request = {});
  std::shared_ptr<Feed<v1::MeterFrame>> meters(v1::WatchMetersRequest request = {});
  void shutdown();
  /// A new engine over the same folders.
  void restart();

  /// frames x channels, interleaved, float32 or 16 bit.
  void write_wav(const std::string& name, std::uint32_t channels, std::uint32_t rate_hz,
                 const std::vector<float>& samples);
  [[nodiscard]] std::vector<float> read_wav(const std::filesystem::path& file, std::uint32_t& channels) const;
  [[nodiscard]] std::filesystem::path take_file(const std::string& name) const;  // "takes:x.wav"

  TempFolder folder;
  boost::asio::io_context io;
  std::shared_ptr<device::SteppedHardware> hardware;
  std::unique_ptr<Engine> engine;
  bool stepping = true;
  std::uint32_t buffer = 256;

 private:
  void make();
  RigOptions options_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
};

/// A test signal that no two frames or channels share: exact in float.
[[nodiscard]] std::vector<float> ramp_signal(std::uint32_t channels, std::size_t frames);

}  // namespace continuo::control::test
