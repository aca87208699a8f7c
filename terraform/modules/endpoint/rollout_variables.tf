variable "rollout" {
  description = "How traffic moves to a new revision: `all-at-once`, `canary`, `linear`, or `rolling`, which replaces instances in place; how large the steps are, and how long alarms are watched after each."
  type = object({
    kind                     = optional(string, "all-at-once")
    step_percent             = optional(number, 10)
    wait_seconds             = optional(number, 300)
    termination_wait_seconds = optional(number, 120)
    max_seconds              = optional(number, 3600)
  })
  default = {}

  validation {
    condition     = contains(["all-at-once", "canary", "linear", "rolling"], var.rollout.kind)
    error_message = "A rollout is `all-at-once`, `canary`, `linear` or `rolling`."
  }
  validation {
    condition     = var.rollout.step_percent >= lookup({ linear = 10, rolling = 5 }, var.rollout.kind, 1) && var.rollout.step_percent <= 50
    error_message = "A step is at most half of the capacity; at least a tenth of it for `linear`, a twentieth for `rolling`."
  }
  validation {
    condition     = alltrue([for seconds in [var.rollout.wait_seconds, var.rollout.termination_wait_seconds] : seconds >= 0 && seconds <= 3600]) && var.rollout.max_seconds >= 600 && var.rollout.max_seconds <= 28800
    error_message = "A wait has up to 3600 seconds, and a whole rollout 600 to 28800."
  }
}

variable "alarms" {
  description = "What brings the old revision back, and keeps telling afterwards: answers with a 5xx status in a period (0: as many as there are), or the percentage of them instead, the slowest hundredth of answers in milliseconds, names of other alarms; how many periods in a row must be bad. The topics are told."
  type = object({
    errors           = optional(number, 5)
    error_percent    = optional(number)
    p99_milliseconds = optional(number)
    period_seconds   = optional(number, 60)
    periods          = optional(number, 1)
    names            = optional(set(string), [])
    topic_arns       = optional(set(string), [])
  })
  default = {}

  validation {
    condition     = var.alarms.errors >= 0 && alltrue([for one in [var.alarms.error_percent, var.alarms.p99_milliseconds] : one == null ? true : one > 0]) && length(var.alarms.names) <= 8
    error_message = "Thresholds are above 0, and a rollout watches at most 10 alarms."
  }
  validation {
    condition     = (contains([10, 30], var.alarms.period_seconds) || var.alarms.period_seconds % 60 == 0) && var.alarms.period_seconds > 0 && var.alarms.periods >= 1
    error_message = "A period has 10, 30 or a multiple of 60 seconds, and there is at least one."
  }
}

variable "scaling" {
  description = "How many instances there may be, and how many requests a minute each is to get (null: only the schedule scales); other limits at times, in UTC, by a name for each."
  type = object({
    min                   = number
    max                   = number
    requests_per_instance = optional(number)
    scale_in_cooldown     = optional(number, 300)
    scale_out_cooldown    = optional(number, 60)
    schedule              = optional(map(object({ schedule = string, min = number, max = number })), {})
  })
  default = null

  validation {
    condition     = var.scaling == null ? true : var.scaling.min >= (var.asynchronous == null ? 1 : 0) && var.scaling.max >= var.scaling.min && try(var.scaling.requests_per_instance > 0, length(var.scaling.schedule) > 0)
    error_message = "There is at least one instance (none behind a queue), `max` is not below `min`, and each gets requests, or there is a schedule."
  }
  validation {
    condition     = try(alltrue([for one in var.scaling.schedule : can(regex("^(cron|rate|at)\\(.+\\)$", one.schedule)) && one.min >= 0 && one.max >= one.min]), var.scaling == null)
    error_message = "A schedule is `cron(…)`, `rate(…)` or `at(…)`, and `max` is not below `min`."
  }
}
