// The engine's calls about what the analysis thread measures.
#include <utility>

#include "server/control/engine.hpp"
#include "server/control/engine_impl.hpp"
#include "server/control/with_refusal.hpp"

namespace continuo::control {

void Engine::watch_spectrum(v1::WatchSpectrumRequest request, Done<std::shared_ptr<Feed<v1::SpectrumFrame>>> done) {
  std::vector<std::string> nodes = {request.node()};
  impl_->with_meters(std::move(nodes), std::move(done),
                     [impl = impl_.get(), request = std::move(request)] { return impl->spectra.watch(request); });
}

void Engine::start_measurement(v1::StartMeasurementRequest request, Done<v1::Measurement> done, std::string identity) {
  const v1::Origin origin = origin_of(request.client(), identity);
  std::vector<std::string> nodes = {request.node()};
  impl_->with_meters(
      std::move(nodes), with_refusal(impl_->journal, "a measurement", origin, std::move(done)),
      [impl = impl_.get(), request = std::move(request), origin] { return impl->measurements.start(request, origin); });
}

void Engine::reset_measurement(std::string name, Done<v1::Measurement> done, std::string identity) {
  const v1::Origin origin = origin_of("", identity);
  impl_->on_strand(with_refusal(impl_->journal, "a measurement's reset", origin, std::move(done)),
                   [impl = impl_.get(), name = std::move(name), origin](const Done<v1::Measurement>& answer) {
                     answer(impl->measurements.reset(name, origin));
                   });
}

void Engine::stop_measurement(std::string name, Done<v1::Measurement> done, std::string identity) {
  const v1::Origin origin = origin_of("", identity);
  impl_->on_strand(with_refusal(impl_->journal, "a measurement's end", origin, std::move(done)),
                   [impl = impl_.get(), name = std::move(name), origin](const Done<v1::Measurement>& answer) {
                     answer(impl->measurements.stop(name, origin));
                   });
}

void Engine::list_measurements(Done<v1::ListMeasurementsResponse> done) {
  impl_->on_strand(std::move(done), [impl = impl_.get()](const Done<v1::ListMeasurementsResponse>& answer) {
    answer(impl->measurements.list());
  });
}

void Engine::analyse() { impl_->analysis.pass(); }

const Analysis& Engine::analysis() const { return impl_->analysis; }

}  // namespace continuo::control
