// How both files of a mirrored take are made.
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "server/media/mirror_take_file.hpp"

namespace continuo::media {

MakeTakeFile mirrored_files(MirrorPlan plan) {
  struct Second {
    std::mutex mutex;
    std::condition_variable changed;
    bool too_late = false;
    std::optional<Result<std::unique_ptr<TakeFile>>> made;
    std::filesystem::path path;
  };
  const auto begun = std::make_shared<std::atomic<bool>>(false);
  return [plan = std::move(plan), begun](const std::filesystem::path& path) -> Result<std::unique_ptr<TakeFile>> {
    const auto make = [custom = plan.make](const std::filesystem::path& file) {
      return custom ? custom(file) : make_take_file(file);
    };
    MirrorTakeFile::Side first{nullptr, plan.first_line, path};
    MirrorTakeFile::Side second{nullptr, plan.second_line, {}};
    auto made = make(path);
    if (!made && (!*begun || made.error().kind == ErrorKind::already_exists)) return made.error();
    if (made)
      first.file = std::move(*made);
    else
      plan.report->lost(0, made.error().message, false, false);

    const auto wait = std::make_shared<Second>();
    plan.second_line->post(0, [wait, make, where = plan.second, path] {
      const auto file = where(path);
      auto result = file ? make(*file) : Result<std::unique_ptr<TakeFile>>(file.error());
      const std::lock_guard lock(wait->mutex);
      if (file) wait->path = *file;
      if (wait->too_late && result) (*result)->discard();
      wait->made.emplace(std::move(result));
      wait->changed.notify_all();
    });
    std::unique_lock lock(wait->mutex);
    wait->too_late = !wait->changed.wait_for(lock, MirrorTakeFile::kPatience, [&] { return wait->made.has_value(); });
    std::optional<Error> error;
    if (wait->too_late)
      error = make_error(ErrorKind::unavailable, "DISK_STANDS_STILL", path.filename().string(),
                         "the second destination's disk does not answer");
    else if (!*wait->made)
      error = wait->made->error();
    else
      second.file = std::move(**wait->made);
    if (!wait->too_late) second.path = wait->path;
    lock.unlock();
    if (error && !first.file) return *error;
    if (error && !*begun && (plan.strict || error->kind == ErrorKind::already_exists)) {
      first.file->discard();
      return *error;
    }
    if (error) plan.report->lost(1, error->message, false, false);
    *begun = true;
    return std::unique_ptr<TakeFile>(new MirrorTakeFile(std::move(first), std::move(second), plan.report));
  };
}

}  // namespace continuo::media
